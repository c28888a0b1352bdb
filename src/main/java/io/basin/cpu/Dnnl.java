package io.basin.cpu;

import io.basin.Nullable;
import io.basin.device.Guard;
import io.basin.device.Precision;
import io.basin.device.Shape;
import java.util.List;
import java.util.regex.Pattern;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One oneDNN engine with its stream, and the short names that planning uses. */
final class Dnnl {
    static final memory.data_type F32 = memory.data_type.f32;
    static final memory.data_type BF16 = memory.data_type.bf16;
    static final int FORWARD_TRAINING = dnnl.prop_kind.forward_training.value;
    static final int FORWARD_INFERENCE = dnnl.prop_kind.forward_inference.value;
    /** Argument number of the second operand of the first post-op. */
    static final int FIRST_POST_OP = (1 << 15) | dnnl.DNNL_ARG_SRC_1;

    private static final int STRICT = dnnl.dnnl_fpmath_mode_strict;
    private static final Pattern IGNORED =
            Pattern.compile("(ONEDNN|DNNL)_(VERBOSE.*|JIT_DUMP|DEFAULT_FPMATH_MODE|CPU_ISA_HINTS)");

    private static final Logger LOG = LoggerFactory.getLogger(Dnnl.class);

    final engine engine;
    final stream stream;
    /** A stream takes one call at a time. */
    final Guard guard;

    Dnnl(Guard guard) {
        this.guard = guard;
        ignoreEnvironment();
        engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0);
        stream = new stream(engine);
    }

    /**
     * ONEDNN_* and DNNL_* may have float32 computed in fewer bits, write to standard output, where results go, or leave files.
     * The instruction set (MAX_CPU_ISA) is left to the user, and {@link #isa} says it.
     */
    private static void ignoreEnvironment() {
        dnnl.dnnl_set_verbose(0);
        dnnl.dnnl_set_jit_dump(0);
        dnnl.dnnl_set_default_fpmath_mode(STRICT);
        // Refused once a kernel was made: then this has been done before.
        dnnl.dnnl_set_cpu_isa_hints(dnnl.dnnl_cpu_isa_no_hints);
        List<String> ignored = System.getenv().keySet().stream()
                .filter(IGNORED.asMatchPredicate())
                .sorted()
                .toList();
        if (ignored.isEmpty()) return;
        LoggerFactory.getLogger(CpuDevice.class)
                .warn("{} in the environment has no effect here", String.join(", ", ignored));
    }

    static int forward(boolean training) {
        return training ? FORWARD_TRAINING : FORWARD_INFERENCE;
    }

    static memory.data_type type(Precision precision) {
        return switch (precision) {
            case FP32, STRICT -> F32;
            case BF16 -> BF16;
            case TF32 -> throw new IllegalArgumentException("oneDNN has no TF32 on a CPU");
        };
    }

    /** Lets the primitive choose. */
    static memory.desc any(Shape shape, memory.data_type type) {
        return new memory.desc(shape.toLongs(), type, memory.format_tag.any);
    }

    /** Row-major. */
    static memory.desc plain(Shape shape, memory.data_type type) {
        memory.format_tag tag = switch (shape.rank()) {
            case 1 -> memory.format_tag.a;
            case 2 -> memory.format_tag.ab;
            case 4 -> memory.format_tag.abcd;
            case 5 -> memory.format_tag.abcde;
            default -> throw new IllegalArgumentException("no plain layout for " + shape);
        };
        return new memory.desc(shape.toLongs(), type, tag);
    }

    static memory.desc vector(int length) {
        return plain(Shape.of(length), F32);
    }

    /** The same blocking with another element type. */
    static memory.desc retyped(memory.desc desc, Shape shape, memory.data_type type) {
        // JavaCPP makes a new object of the enum for each call.
        if (desc.get_data_type().intern() == type) return desc;
        if (desc.get_inner_nblks() == 0) {
            long[] strides = new long[shape.rank()];
            for (int i = 0; i < strides.length; i++)
                strides[i] = desc.get_strides().get(i);
            return new memory.desc(shape.toLongs(), type, strides);
        }
        boolean channelsBlockedBy16 = desc.get_inner_nblks() == 1
                && desc.get_inner_blks().get(0) == 16
                && desc.get_inner_idxs().get(0) == 1;
        memory.format_tag tag = channelsBlockedBy16 ? memory.format_tag.aBcd16b : memory.format_tag.acdb;
        return new memory.desc(shape.toLongs(), type, tag);
    }

    static String version() {
        org.bytedeco.dnnl.dnnl_version_t v = dnnl.dnnl_version();
        return v.major() + "." + v.minor() + "." + v.patch();
    }

    /** The instruction set that kernels are generated for, such as {@code avx512_core_bf16}. */
    static String isa() {
        int isa = dnnl.dnnl_get_effective_cpu_isa();
        for (dnnl.cpu_isa known : dnnl.cpu_isa.values()) {
            if (known.value == isa && known != dnnl.cpu_isa.isa_default) return known.name();
        }
        return "instruction set " + isa;
    }

    /** Attributes of a primitive whose workspace is ours to place. */
    static primitive_attr attributes() {
        primitive_attr attr = new primitive_attr();
        attr.set_scratchpad_mode(dnnl.scratchpad_mode.user.value);
        // Other code in this process may have changed the default.
        attr.set_fpmath_mode(STRICT);
        return attr;
    }

    /**
     * The same with operations on the result in the same pass.
     *
     * @param sum the layout of what is added, or null
     */
    static primitive_attr attributes(memory.@Nullable desc sum, boolean relu) {
        post_ops after = new post_ops();
        if (sum != null) after.append_binary(dnnl.algorithm.binary_add.value, sum);
        if (relu) after.append_eltwise(dnnl.algorithm.eltwise_relu.value, 0, 0);
        primitive_attr attr = attributes();
        attr.set_post_ops(after);
        return attr;
    }

    /** oneDNN falls back to its reference code without a word, hundreds of times slower. */
    static boolean slow(primitive_desc_base pd) {
        return pd.impl_info_str().getString().startsWith("ref");
    }

    static void check(String path, primitive_desc_base pd) {
        LOG.debug("{}: {}", path, pd.impl_info_str().getString());
        if (slow(pd)) LOG.warn("{}: oneDNN has only slow reference code for this layer", path);
    }
}
