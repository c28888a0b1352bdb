package io.basin.data;

import io.basin.Api;

/**
 * A data set cannot be found, read, checked or downloaded.
 *
 * <p>Unchecked, since no caller but the command line can do anything about it, and the one exception that this package throws for
 * input from outside the program. Its message stands alone: which file, what is wrong, what to do.
 */
@Api
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DataException(String message) {
        super(message);
    }

    public DataException(String message, Throwable cause) {
        super(message, cause);
    }

    /** A file that is not what it should be: {@code file: wrong. remedy}. */
    static DataException of(String file, String wrong, String remedy) {
        return new DataException(file + ": " + wrong + ". " + remedy);
    }

    static DataException of(String file, String wrong, String remedy, Throwable cause) {
        return new DataException(file + ": " + wrong + ". " + remedy, cause);
    }
}
