package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SignatureTest {
    private static final String SOURCE = """
            // of(nothing)
            extern "C" __global__ void __launch_bounds__(256)
            of(const float4* const* __restrict__ points /* (n, 4) */, u32 n, u64 seed, float scale,
               double weight) { of(1); }
            """;
    private static final DevicePointer SOMEWHERE = new DevicePointer();

    @Test
    void argumentsAreThoseThatTheSourceDeclares() {
        Signature of = Signature.of(SOURCE, "of");
        assertEquals(5, of.parameters().size(), of.toString());
        of.check(SOMEWHERE, 3, 4L, 1f, 1.0);
        of.check(null, 3, 4L, 1f, 1.0);
        assertThrows(IllegalArgumentException.class, () -> Signature.of(SOURCE, "off"));
    }

    @Test
    void othersAreRefused() {
        Signature of = Signature.of(SOURCE, "of");
        for (Object[] wrong : new Object[][] {
            {},
            {SOMEWHERE, 3, 4L, 1f},
            {SOMEWHERE, 3, 4L, 1f, 1.0, 1},
            {SOMEWHERE, 3L, 4L, 1f, 1.0},
            {SOMEWHERE, 3, 4, 1f, 1.0},
            {SOMEWHERE, 3, 4L, 1.0, 1.0},
            {SOMEWHERE, 3, 4L, 1f, 1f},
            {3L, 3, 4L, 1f, 1.0}
        }) assertThrows(IllegalArgumentException.class, () -> of.check(wrong));
    }
}
