package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Layer;
import org.junit.jupiter.api.Test;

/** What a ceiling's share counts as work. */
class WorkTest {
    private static Layer.Window window(int kernel, int stride, int pad) {
        return new Layer.Window(kernel, stride, pad, 1);
    }

    @Test
    void paddingIsNoWork() {
        assertEquals(10, Work.taps(window(3, 1, 1), 4, 4));
        assertEquals(4, Work.taps(window(3, 1, 1), 2, 2));
        assertEquals(5, Work.taps(window(3, 2, 1), 4, 2));
        assertEquals(6, Work.taps(window(3, 1, 0), 4, 2));
        assertEquals(7, Work.taps(window(1, 1, 0), 7, 7));
    }

    /** 784 x 1024, 1024 x 1024 and 1024 x 10: forward and the weights' gradient, and from the second on the inputs' gradient. */
    @Test
    void theMlpsWorkIsThatOfItsMatrices() {
        double forward = 2.0 * (784 * 1024 + 1024 * 1024 + 1024 * 10);
        assertEquals(3 * forward - 2.0 * 784 * 1024, Work.of(new Contest("mlp")));
    }
}
