/** Words for people: reasons instead of exceptions, suggestions, and text of unknown origin made fit for a terminal. */
package io.basin.text;
