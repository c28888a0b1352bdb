package io.basin.train;

import io.basin.Api;

/** The loss, a weight or a prediction stopped being a number: the run ends, the last checkpoint stays. */
@Api
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DivergedException(String message) {
        super(message);
    }
}
