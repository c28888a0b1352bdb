package io.basin.device;

import io.basin.Api;

/**
 * One complete model: weights laid out as PARAMS, batch-norm statistics laid out as STATE. The trained model, the
 * average and every collected member are such pairs, so that one evaluation plan serves them all.
 */
@Api
public record Weights(Memory params, Memory state) implements AutoCloseable {
    /** The memory in which a tensor lies. */
    Memory of(Parameter p) {
        return p.slot().arena() == Arena.STATE ? state : params;
    }

    /** Copies both on the device, in one turn. */
    public void copyTo(Device device, Weights to) {
        device.guard().run(() -> {
            device.copy(params, to.params());
            device.copy(state, to.state());
        });
    }

    @Override
    public void close() {
        params.close();
        state.close();
    }
}
