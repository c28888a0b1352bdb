package io.basin.io;

import io.basin.Api;

/** A file does not hold what its format promises; the message names the file and what is wrong with it. */
@Api
public final class FormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param file the file's path as the user knows it
     * @param problem what is wrong, in words that fit after a colon
     */
    public FormatException(String file, String problem) {
        super(file + ": " + problem);
    }

    /** As {@link #FormatException(String, String)}, keeping the parser's own exception as the cause. */
    public FormatException(String file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
