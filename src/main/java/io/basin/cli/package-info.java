/**
 * The command line: flags in, results on stdout, progress and one-line errors on stderr. Commands hold no logic of their own;
 * what they do can be done from Java with the packages they call.
 */
package io.basin.cli;
