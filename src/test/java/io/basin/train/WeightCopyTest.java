package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.basin.cuda.Cuda;
import io.basin.cuda.Elements;
import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Draws;
import io.basin.device.Parameter;
import io.basin.device.Precision;
import io.basin.device.Weights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A training in bfloat16 on CUDA reads a copy of the weights: whatever changes the weights changes it too. */
class WeightCopyTest {
    private static ByteBuffer bytes(Run run, Arena arena) {
        return ByteBuffer.wrap(run.bytes(arena)).order(ByteOrder.nativeOrder());
    }

    /** @return the copy */
    private static short[] requireRounded(Run run, String after) {
        ByteBuffer weights = bytes(run, Arena.PARAMS);
        short[] expected = new short[weights.capacity() / 4];
        for (int i = 0; i < expected.length; i++) expected[i] = (short) Elements.bits(weights.getFloat(4 * i));
        short[] actual = new short[expected.length];
        bytes(run, Arena.COPY).asShortBuffer().get(actual);
        assertArrayEquals(expected, actual, after);
        return actual;
    }

    @Test
    void theCopyIsTheRoundedWeightsAfterAllThatChangesThem() {
        if (!Cuda.works()) return;
        Setup setup = Setup.of(UserNets.postActivation(), 4).with(Precision.BF16);
        try (Device device = Devices.open("cuda", 1)) {
            if (!device.supports(Precision.BF16)) return;
            try (Run run = setup.on(device);
                    Weights other = run.storage.copy(device, run.storage.live());
                    Coefficients half = new Coefficients(device, null, new double[] {0.5, 0.25})) {
                short[] first = requireRounded(run, "first weights");
                run.steps(2);
                assertFalse(java.util.Arrays.equals(first, requireRounded(run, "two steps")));
                try (Device.Recording step = device.record(run::oneStep)) {
                    step.replay();
                    step.replay();
                }
                requireRounded(run, "two replays");
                Parameter p = run.storage.parameters().iterator().next();
                run.write(p, Arena.PARAMS, Draws.normal(3, p.shape().elements()));
                requireRounded(run, "a write");
                other.copyTo(device, run.storage.live());
                assertArrayEquals(first, requireRounded(run, "a copy of the first weights"));
                List<io.basin.device.Memory> points = List.of(other.params(), run.storage.memory(Arena.MOMENTUM));
                device.arenas()
                        .weightedSum(points, half, run.storage.memory(Arena.PARAMS))
                        .run();
                requireRounded(run, "a weighted sum");
            }
        }
    }
}
