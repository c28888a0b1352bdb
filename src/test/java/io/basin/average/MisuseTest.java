package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import io.basin.io.Dtype;
import java.nio.ByteBuffer;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What would end the process, or be computed with and make weights that are no numbers. */
class MisuseTest {
    /** A rule of a user's, with what may be wrong of it. */
    private record Plain(int moments, double weightDecay) implements UpdateRule {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
            for (int i = 0; i < n; i++) w[i] -= lr * g[i];
        }
    }

    private static void refused(String message, Executable misuse) {
        String said = assertThrows(IllegalArgumentException.class, misuse).getMessage();
        assertTrue(said.startsWith(message), said);
    }

    @Test
    void arraysThatAreNoneOfTheProcessAreRefused() {
        AveragerBuilder b = Averager.host().add("w", new float[4]);
        refused("`x` is not in native", () -> b.add("x", ByteBuffer.allocateDirect(4), Dtype.F32));
        refused("`x` begins at 0xfffffffffffffe70", () -> b.add("x", -400L, 4, Dtype.F32));
        refused("`x` needs a type", () -> b.add("x", 1L << 20, 4, null));
        refused("65537 copies of these arrays", () -> b.lawa(65_536));
        refused("2147483648 copies of these arrays", () -> b.lawa(Integer.MAX_VALUE));
    }

    @Test
    void ratesAndRulesThatAreNoNumbersAreRefused() {
        FusedStepBuilder full =
                FusedStep.host().add("w", new float[8]).add("g", new float[8]).add("m", new float[8]);
        for (double rate : new double[] {Double.NaN, -1, 1e300, Double.POSITIVE_INFINITY}) {
            String said = "`lr` must not be negative, and finite in float32; that of step 1 is " + rate;
            refused(said, () -> full.lr(1, rate).build(new Sgd()));
        }
        full.lr(1, 1);
        refused("`weightDecay`", () -> full.build(new Plain(0, Double.NaN)));
        for (int moments : new int[] {3, -1}) {
            String said = "an optimizer keeps 0 to 2 arrays of state a weight, got " + moments;
            refused(said, () -> full.build(new Plain(moments, 0)));
        }
    }

    /** Their memory is no longer the process's: to touch it would end that. */
    @Test
    void arraysThatTheirOwnerGaveBackAreRefused() {
        try (Memory jna = new Memory(16);
                FloatPointer pointer = new FloatPointer(4);
                Averager ofJna = Averager.host().add("j", jna, 4, Dtype.F32).swa();
                Averager ofPointer =
                        Averager.host().add("p", pointer, 4, Dtype.F32).swa();
                FusedStep step = FusedStep.host()
                        .add("w", new float[4])
                        .add("g", pointer, 4, Dtype.F32)
                        .add("m", new float[4])
                        .lr(0.1)
                        .build(new Sgd(0, 0, false))) {
            List<Runnable> givenBack = List.of(jna::close, pointer::deallocate);
            givenBack.forEach(Runnable::run);
            for (Executable call : List.<Executable>of(ofJna::step, ofPointer::step, step::run)) {
                String said = assertThrows(IllegalStateException.class, call).getMessage();
                assertTrue(said.endsWith("` was closed or deallocated by its owner"), said);
            }
        }
    }
}
