package io.basin.cpu;

import io.basin.io.Dtype;
import io.basin.io.Half;

/** {@link Half} for tests of other packages. */
public final class Halves {
    private Halves() {}

    public static short of(Dtype type, float value) {
        return type == Dtype.BF16 ? Half.toBf16(value) : Half.toF16(value);
    }
}
