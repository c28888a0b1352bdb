package io.basin.cuda;

import io.basin.device.Close;

/** What a kernel's values are; every number is rounded to it before anyone computes with it. */
public enum Elements {
    FLOAT32("", 4, Close.GRADIENT),
    /** Stores keep 8 bits, and a sum of gradients keeps what its terms have lost. */
    BFLOAT16("Bf16", 2, Close.BFLOAT16);

    /** Of the names of kernels over such values. */
    final String suffix;

    final int bytes;
    final Close close;

    Elements(String suffix, int bytes, Close close) {
        this.suffix = suffix;
        this.bytes = bytes;
        this.close = close;
    }

    float[] rounded(float[] x) {
        if (this == FLOAT32) return x;
        float[] out = new float[x.length];
        for (int i = 0; i < x.length; i++) out[i] = Float.intBitsToFloat(bits(x[i]) << 16);
        return out;
    }

    DevicePointer put(Gpu gpu, float[] x) {
        if (this == FLOAT32) return gpu.put(x);
        short[] out = new short[x.length];
        for (int i = 0; i < x.length; i++) out[i] = (short) bits(x[i]);
        return gpu.put(out);
    }

    float[] read(Gpu gpu, DevicePointer from, int n) {
        if (this == FLOAT32) return gpu.floats(from, n);
        short[] bits = gpu.shorts(from, n);
        float[] out = new float[n];
        for (int i = 0; i < n; i++) out[i] = Float.intBitsToFloat(bits[i] << 16);
        return out;
    }

    /** The nearest of 16 bits; of two the even one, as decimal arithmetic finds it. */
    public static int bits(float x) {
        int below = Float.floatToRawIntBits(x) >>> 16;
        double low = Float.intBitsToFloat(below << 16);
        double high = Float.intBitsToFloat(below + 1 << 16);
        double toLow = Math.abs(x - low);
        double toHigh = Math.abs(high - x);
        if (Float.isNaN(x)) return below | 0x40;
        return toLow < toHigh || toLow == toHigh && below % 2 == 0 ? below : below + 1;
    }
}
