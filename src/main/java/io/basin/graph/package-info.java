/**
 * Nets as tapes. The tape is recorded once and planned by devices; it holds no arrays and knows no device, so the same
 * net can be planned for training, for evaluation and on several devices at once.
 */
package io.basin.graph;
