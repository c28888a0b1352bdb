package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.basin.Nullable;
import io.basin.device.Layout;
import io.basin.device.Memory;
import io.basin.device.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Objects;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;

/** A layout as oneDNN describes it (element type, blocking and padding), and the way to it from the logical order of files. */
record CpuLayout(memory.desc desc) implements Layout {
    /** @param layout of a value or of a trained parameter, which have one */
    static memory.desc of(@Nullable Layout layout) {
        return ((CpuLayout) Objects.requireNonNull(layout)).desc;
    }

    @Override
    public long bytes() {
        return desc.get_size();
    }

    /** @param layout null for vectors, which have only one order */
    static void pack(Dnnl dnnl, FloatBuffer logical, @Nullable Layout layout, Memory arena, long offset) {
        ByteBuffer plain = direct(logical.remaining());
        plain.asFloatBuffer().put(logical.duplicate());
        if (layout == null) {
            CpuMemory.bytes(arena, offset, plain.remaining()).put(plain);
            return;
        }
        memory.desc desc = CpuLayout.of(layout);
        ByteBuffer place = CpuMemory.bytes(arena, offset, desc.get_size());
        reorder(dnnl, plainLike(desc), new Pointer(plain), desc, new Pointer(place));
    }

    static void unpack(Dnnl dnnl, Memory arena, long offset, @Nullable Layout layout, FloatBuffer logical) {
        ByteBuffer plain = direct(logical.remaining());
        if (layout == null) {
            plain.put(CpuMemory.bytes(arena, offset, plain.remaining())).flip();
        } else {
            memory.desc desc = CpuLayout.of(layout);
            ByteBuffer place = CpuMemory.bytes(arena, offset, desc.get_size());
            reorder(dnnl, desc, new Pointer(place), plainLike(desc), new Pointer(plain));
        }
        logical.duplicate().put(plain.asFloatBuffer());
    }

    private static ByteBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(4 * floats).order(ByteOrder.nativeOrder());
    }

    private static memory.desc plainLike(memory.desc desc) {
        LongPointer dims = desc.get_dims();
        int[] extents = new int[desc.get_ndims()];
        for (int i = 0; i < extents.length; i++) extents[i] = Math.toIntExact(dims.get(i));
        return Dnnl.plain(Shape.of(extents), desc.get_data_type());
    }

    private static void reorder(Dnnl dnnl, memory.desc from, Pointer source, memory.desc to, Pointer target) {
        try (reorder.primitive_desc pd = new reorder.primitive_desc(dnnl.engine, from, dnnl.engine, to);
                reorder primitive = new reorder(pd);
                memory a = new memory(from, dnnl.engine, source);
                memory b = new memory(to, dnnl.engine, target);
                IntMemoryMap arguments =
                        new IntMemoryMap().put(DNNL_ARG_FROM, a).put(DNNL_ARG_TO, b)) {
            primitive.execute(dnnl.stream, arguments);
            dnnl.stream._wait();
        }
    }
}
