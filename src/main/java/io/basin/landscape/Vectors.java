package io.basin.landscape;

import io.basin.device.Device;
import io.basin.device.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Arenas as vectors on the host, with sums in double. */
public final class Vectors {
    private Vectors() {}

    /** The arena as it lies, padding included; waits. */
    public static float[] read(Device device, Memory arena) {
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(Math.toIntExact(arena.bytes())).order(ByteOrder.nativeOrder());
        device.download(arena, 0, bytes);
        float[] values = new float[bytes.capacity() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    public static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += (double) a[i] * b[i];
        return sum;
    }

    public static double norm(float[] a) {
        return Math.sqrt(dot(a, a));
    }

    /** The inner product of a - from and b - from. */
    public static double dot(float[] a, float[] b, float[] from) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += ((double) a[i] - from[i]) * ((double) b[i] - from[i]);
        return sum;
    }

    public static double distance(float[] a, float[] b) {
        return Math.sqrt(dot(a, a, b));
    }
}
