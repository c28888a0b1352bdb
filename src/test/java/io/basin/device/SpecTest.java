package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.basin.nn.Initialisers;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What an operation computes is plain data: made twice it is equal, printed it reads, and nobody changes it afterwards. */
class SpecTest {
    private static BatchReader batch(float mean, float std, long seed) {
        return new BatchReader(
                8, new Augmentation(2, true, new float[] {0.5f, mean}, new float[] {1, std}), seed, true);
    }

    private static Layer.Conv conv(Initializer init) {
        return new Layer.Conv(8, 3, 1, 1, 1, false, false, init);
    }

    private static List<Supplier<Object>> makers() {
        return List.of(
                () -> batch(0.25f, 2, 7),
                () -> batch(0.25f, 2, 7).plain(),
                () -> batch(0.25f, 2, 7).ordered(),
                () -> new BatchReader(8, batch(0.25f, 2, 7).augmentation().with(new Distortion(0.1, 2, 0.3)), 7, true),
                () -> batch(0.75f, 2, 7),
                () -> batch(0.25f, 3, 7),
                () -> batch(0.25f, 2, 8),
                () -> conv(Initializer.fanIn()),
                () -> conv(Initializer.constant(1)),
                () -> conv(Initializer.constant(2)),
                () -> conv(Initializer.uniform(0.5)),
                () -> conv(Initializer.uniform(0.25)),
                () -> conv(Initialisers.HE),
                () -> conv(Initialisers.HE_FAN_OUT),
                () -> new Layer.Dense(5, true, false, Initializer.constant(1)),
                () -> new Layer.BatchNorm(1e-5, 0.1, true),
                () -> new Layer.Pool(Layer.PoolKind.MAX, 2, 2, 0),
                () -> new Layer.GroupNorm(4, 1e-5),
                () -> new Layer.Concat(),
                () -> new Activation.Gelu(),
                () -> new Activation.Silu(),
                () -> new Layer.Dropout(0.5),
                () -> new Layer.Pointwise(new Softplus()),
                () -> Loss.crossEntropy(0.1),
                () -> new Sgd(0.9, 5e-4, true));
    }

    @Test
    void specsAreEqualExactlyWhereTheirContentIs() {
        List<Supplier<Object>> makers = makers();
        for (int i = 0; i < makers.size(); i++) {
            Object spec = makers.get(i).get();
            if (spec instanceof Layer.Pointwise) continue; // a caller's own function compares itself
            for (int j = 0; j < makers.size(); j++) {
                Object other = makers.get(j).get();
                if (i != j) {
                    assertNotEquals(spec, other);
                    continue;
                }
                assertEquals(spec, other);
                assertEquals(spec.hashCode(), other.hashCode());
                assertEquals(spec.toString(), other.toString());
            }
        }
    }

    @Test
    void theyPrintWhatTheyHoldAndNoAddresses() {
        for (Supplier<Object> maker : makers()) {
            String said = maker.get().toString();
            if (maker.get() instanceof Layer.Pointwise) continue;
            assertFalse(said.contains("@") || said.contains("Lambda"), said);
        }
        assertEquals(
                "BatchReader[batch=8, augmentation=pad 2, flip, mean [0.5, 0.25], std [1.0, 2.0], seed=7, shuffled=true]",
                batch(0.25f, 2, 7).toString());
    }

    @Test
    void aBatchKeepsItsNumbersWhateverBecomesOfTheArrays() {
        float[] mean = {0.5f};
        float[] std = {2};
        BatchReader batch = new BatchReader(8, new Augmentation(0, false, mean, std), 1, true);
        int hash = batch.hashCode();
        mean[0] = 9;
        std[0] = 9;
        batch.augmentation().mean()[0] = 9;
        batch.augmentation().std()[0] = 9;
        assertArrayEquals(new float[] {0.5f}, batch.augmentation().mean());
        assertArrayEquals(new float[] {2}, batch.augmentation().std());
        assertEquals(hash, batch.hashCode());
    }
}
