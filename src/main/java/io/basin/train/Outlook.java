package io.basin.train;

import io.basin.Api;

/**
 * What a run allocates on the device once its training step is there: told to the device with the step's own memory, so that a
 * run that cannot end is refused before it begins.
 *
 * @param models of the net that are kept or made, all at the same time
 * @param evaluators of the training's batch size that are open at the same time
 */
@Api
public record Outlook(int models, int evaluators) {
    /** Nothing but training. */
    public static final Outlook NONE = new Outlook(0, 0);
}
