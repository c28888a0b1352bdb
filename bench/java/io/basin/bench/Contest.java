package io.basin.bench;

import io.basin.device.Precision;
import java.util.List;

/**
 * One line of the comparison: what both sides run.
 *
 * @param name a net, a net with {@code -bf16} (Basin in bfloat16, the peer in float32) or with {@code -bf16-autocast} (the
 *     peer in its own bfloat16 autocast), {@code step} (the update against
 *     {@code torch::optim::SGD} and a lerp), {@code step-fused} (against libtorch's fused kernel and a lerp), {@code average} (alone, of 160 arrays of others, against
 *     {@code torch._foreach_lerp_}), {@code combine}, {@code bend} or {@code moments} ({@link BasinArenas}), or {@code plane}
 *     (a loss surface of the small CNN, 10,000 samples a cell: weights, batch-norm statistics, loss and error, Basin in one pass
 *     over all samples at once) or {@code plane-batched} (the same in two passes over batches, as the peer does it)
 */
record Contest(String name) {
    private static final String BF16 = "-bf16";
    private static final String AUTOCAST = "-autocast";

    static List<String> all() {
        return List.of(
                "mlp",
                "smallcnn",
                "preresnet20",
                "vgg16-bn",
                "smallcnn-bf16",
                "smallcnn-bf16-autocast",
                "step",
                "step-fused",
                "average",
                "combine",
                "bend",
                "moments",
                "plane",
                "plane-batched");
    }

    boolean isStep() {
        return name.startsWith("step");
    }

    boolean isAverage() {
        return name.equals("average");
    }

    boolean isArenas() {
        return bytes() > 0 && !isStep() && !isAverage();
    }

    /** Bounded by memory: bytes a parameter that must be moved where all is done in one pass; else 0. */
    int bytes() {
        return switch (name) {
            case "step", "step-fused" -> 28;
            case "average" -> 12;
            case "combine" -> 16;
            case "bend" -> 24;
            case "moments" -> 20;
            default -> 0;
        };
    }

    boolean isPlane() {
        return name.startsWith("plane");
    }

    /** The net's name, the same for both precisions. */
    String net() {
        return isPlane() ? "smallcnn" : name.replace(BF16, "").replace(AUTOCAST, "");
    }

    /** Basin's; the peer computes in float32 but for its autocast. */
    Precision precision() {
        return name.contains(BF16) ? Precision.BF16 : Precision.FP32;
    }

    String basinNet() {
        return net().equals("smallcnn") ? "small-cnn" : net();
    }

    String unit() {
        return bytes() > 0 ? "updates/s" : isPlane() ? "samples/s" : "images/s";
    }

    /** What bounds both sides: the processor's arithmetic or its memory. */
    String ceiling() {
        return bytes() > 0 ? "Triad" : "Peak";
    }

    /** {@code TorchTraining}, {@code BasinStep} and so on: the twins differ in their first word only. */
    String benchmark(String side) {
        return side
                + (isStep()
                        ? "Step"
                        : isAverage() ? "Average" : isArenas() ? "Arenas" : isPlane() ? "Plane" : "Training");
    }

    List<String> parameters() {
        if (isArenas()) return List.of("pass=" + name);
        if (bytes() > 0 || isPlane()) return List.of();
        return List.of("net=" + net(), "autocast=" + name.endsWith(AUTOCAST));
    }

    List<String> basinParameters() {
        if (isPlane()) return List.of("whole=" + name.equals("plane"));
        if (isArenas()) return List.of("pass=" + name);
        if (bytes() > 0) return List.of();
        return List.of("net=" + net(), "precision=" + precision());
    }
}
