package io.basin.cli;

/** The codes that the command line ends with; 'basin --help' shows them. */
final class Exit {
    /** Done, and all self-checks held. */
    static final int OK = 0;
    /** Something failed: a file, a device, a training, a self-check, or results could not be written. */
    static final int FAILED = 1;
    /** What was asked for cannot be: the command line or the files that it names must change. */
    static final int USAGE = 2;
    /** The user pressed Ctrl-C; the virtual machine ends so of its own accord. */
    static final int INTERRUPTED = 130;
    /** Whoever read stdout closed it early, as 'head' does: the code of ordinary tools, which die of SIGPIPE. */
    static final int PIPE_CLOSED = 141;

    /** For the end of the help. */
    static final String HELP =
            "Exit codes: 0 done, 1 failed (a self-check and unwritable output included), 2 wrong usage,"
                    + " 130 interrupted, 141 stdout was closed by its reader";

    private Exit() {}
}
