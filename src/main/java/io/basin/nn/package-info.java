/**
 * The nets of the papers, and how weights begin. A net is a function from shapes to a {@link io.basin.nn.Graph}: there are no layer
 * classes, because a layer's data is its {@link io.basin.device.Layer} and its behaviour is a device's.
 */
package io.basin.nn;
