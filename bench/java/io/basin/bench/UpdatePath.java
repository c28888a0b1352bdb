package io.basin.bench;

import java.util.List;

/**
 * How somebody else updates and averages all parameters on a GPU: the kernels as their public source launches them, with the
 * 4-byte accesses that each makes per parameter.
 *
 * <p>Steady state of SGD with momentum and weight decay, float32, one parameter group, no gradient scaling: the peers' best
 * case, since a second group (biases without decay) would launch everything twice.
 *
 * @param update kernels of a plain step
 * @param average kernels that a step adds which averages
 * @param source files that say so
 */
record UpdatePath(String name, List<Pass> update, List<Pass> average, String source) {
    /** How tensors share launches. */
    enum Batching {
        /** A launch for each tensor. */
        NONE(1, Integer.MAX_VALUE),
        /** PyTorch's multi_tensor_apply with 32 KiB of arguments (CUDA 12.1 and newer), by number of tensor lists. */
        LISTS_1(770, 2240),
        LISTS_2(448, 2240),
        LISTS_3(336, 2240),
        /** Apex' multi_tensor_apply with three lists. */
        APEX_3(48, 320);

        private static final int CHUNK = 65536;
        private final int tensors;
        private final int blocks;

        Batching(int tensors, int blocks) {
            this.tensors = tensors;
            this.blocks = blocks;
        }

        /** Launches for tensors of these sizes: one more whenever the list of tensors or of chunks is full. */
        int launches(List<Long> sizes) {
            int launches = 0;
            int listed = 0;
            int chunks = 0;
            for (long size : sizes) {
                listed++;
                long rest = (size + CHUNK - 1) / CHUNK;
                while (rest > 0) {
                    long now = Math.min(rest, blocks - chunks);
                    rest -= now;
                    chunks += (int) now;
                    boolean full = chunks == blocks || (rest == 0 && listed == tensors);
                    if (!full) continue;
                    launches++;
                    chunks = 0;
                    listed = rest == 0 ? 0 : 1;
                }
            }
            return launches + (chunks > 0 ? 1 : 0);
        }
    }

    /** One kernel over all parameters. */
    record Pass(String call, int reads, int writes, Batching batching) {
        int bytes() {
            return 4 * (reads + writes);
        }
    }

    private static final String SGD = "torch/optim/sgd.py ";
    private static final List<Pass> LERP = List.of(new Pass("_foreach_lerp_", 2, 1, Batching.LISTS_2));
    private static final String SWA = "; torch/optim/swa_utils.py get_swa_multi_avg_fn";

    static final List<UpdatePath> PEERS = List.of(
            new UpdatePath(
                    "PyTorch SGD, fused, AveragedModel",
                    List.of(new Pass("_fused_sgd_", 3, 2, Batching.LISTS_3)),
                    LERP,
                    SGD + "_fused_sgd, aten/src/ATen/native/cuda/FusedSgdKernel.cu" + SWA),
            new UpdatePath(
                    "PyTorch SGD, foreach, AveragedModel",
                    List.of(
                            new Pass("_foreach_add", 2, 1, Batching.LISTS_3),
                            new Pass("_foreach_mul_", 1, 1, Batching.LISTS_1),
                            new Pass("_foreach_add_", 2, 1, Batching.LISTS_2),
                            new Pass("_foreach_add_", 2, 1, Batching.LISTS_2)),
                    LERP,
                    SGD + "_multi_tensor_sgd, aten/src/ATen/native/cuda/MultiTensorApply.cuh" + SWA),
            new UpdatePath(
                    "PyTorch SGD, eager, AveragedModel",
                    List.of(
                            new Pass("add", 2, 1, Batching.NONE),
                            new Pass("mul_", 1, 1, Batching.NONE),
                            new Pass("add_", 2, 1, Batching.NONE),
                            new Pass("add_", 2, 1, Batching.NONE)),
                    LERP,
                    SGD + "_single_tensor_sgd" + SWA),
            new UpdatePath(
                    "apex FusedSGD, PyTorch AveragedModel",
                    List.of(new Pass("multi_tensor_sgd", 3, 2, Batching.APEX_3)),
                    LERP,
                    "csrc/multi_tensor_sgd_kernel.cu, csrc/multi_tensor_apply.cuh" + SWA));

    int bytes(boolean averaging) {
        int bytes = update.stream().mapToInt(Pass::bytes).sum();
        return averaging ? bytes + average.stream().mapToInt(Pass::bytes).sum() : bytes;
    }

    int launches(List<Long> sizes, boolean averaging) {
        int launches = launches(update, sizes);
        return averaging ? launches + launches(average, sizes) : launches;
    }

    private static int launches(List<Pass> passes, List<Long> sizes) {
        return passes.stream()
                .mapToInt(p -> p.batching() == Batching.NONE
                        ? sizes.size()
                        : p.batching().launches(sizes))
                .sum();
    }
}
