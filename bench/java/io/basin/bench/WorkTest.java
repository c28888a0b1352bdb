package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Initializer;
import io.basin.device.Layer;
import org.junit.jupiter.api.Test;

/** What a ceiling's share counts as work. */
class WorkTest {
    private static Layer.Conv conv(int kernel, int stride, int pad) {
        return new Layer.Conv(8, kernel, stride, pad, 1, false, false, Initializer.constant(0));
    }

    @Test
    void paddingIsNoWork() {
        assertEquals(10, Work.taps(conv(3, 1, 1), 4, 4));
        assertEquals(4, Work.taps(conv(3, 1, 1), 2, 2));
        assertEquals(5, Work.taps(conv(3, 2, 1), 4, 2));
        assertEquals(6, Work.taps(conv(3, 1, 0), 4, 2));
        assertEquals(7, Work.taps(conv(1, 1, 0), 7, 7));
    }

    /** 784 x 1024, 1024 x 1024 and 1024 x 10: forward and the weights' gradient, and from the second on the inputs' gradient. */
    @Test
    void theMlpsWorkIsThatOfItsMatrices() {
        double forward = 2.0 * (784 * 1024 + 1024 * 1024 + 1024 * 10);
        assertEquals(3 * forward - 2.0 * 784 * 1024, Work.of(new Contest("mlp")));
    }
}
