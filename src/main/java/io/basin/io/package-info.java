/**
 * Files: weights and checkpoints (safetensors), configuration and metrics (JSON, JSON lines), written so that a reader never
 * sees half a file.
 *
 * <p>Three decisions shape the package. <b>Everything read is untrusted</b>: a checkpoint comes from a colleague or the web, so
 * each reader proves a file consistent before it uses a number of it, and answers anything else with one
 * {@link io.basin.io.FormatException} that names the file. No size in a file is believed before it is compared with the file's
 * own length, so a few hostile bytes cannot ask for gigabytes. <b>Everything written is renamed into place</b> from a fsynced
 * temporary file in the same folder: a killed run leaves the old checkpoint or the new one. <b>Our own files are read with
 * positional reads, not memory maps</b>: a read reports a file that shrinks meanwhile, a map fails where its memory is used. Only
 * what is copied from another program's file into one of ours is mapped.
 *
 * <p>PyTorch's checkpoints are pickles, programs for a stack machine that may call anything. {@code Pickle} runs the few
 * instructions that build a dictionary of tensors and refuses every other by its name.
 *
 * <p>Exceptions are unchecked, because no caller can repair a bad file; the command line prints the message, which says what to do.
 */
package io.basin.io;
