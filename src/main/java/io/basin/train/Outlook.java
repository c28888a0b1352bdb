package io.basin.train;

import io.basin.Api;
import io.basin.device.Arena;
import io.basin.device.MemoryEstimate;

/**
 * Memory that a run allocates on the device after its training step. The device counts it with the step's own memory and refuses
 * a run that could not end before it begins.
 *
 * @param models of the net that are kept or made, all at the same time
 * @param evaluators of the training's batch size that are open at the same time
 */
@Api
public record Outlook(int models, int evaluators) {
    /** Nothing but training. */
    public static final Outlook NONE = new Outlook(0, 0);

    /** @param each memory of one evaluation */
    MemoryEstimate.Later later(MemoryEstimate each) {
        long values = evaluators * each.of(Arena.ACTIVATIONS);
        long workspace = evaluators * each.of(Arena.SCRATCH);
        MemoryEstimate.Scratch s = each.scratch();
        s = new MemoryEstimate.Scratch(evaluators * s.fixed(), evaluators * s.growing());
        return new MemoryEstimate.Later(models, values, workspace, s);
    }
}
