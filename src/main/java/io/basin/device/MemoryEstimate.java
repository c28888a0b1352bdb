package io.basin.device;

import io.basin.Api;
import io.basin.text.Format;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Memory that a plan is about to allocate: a device may refuse it before any work is done, naming the batch that would fit.
 *
 * @param bytes by arena, in the arenas' order; those that an earlier plan of the model allocated are left out
 * @param batch samples a step
 * @param later memory allocated beside the plan while it lives
 * @param scratch the workspace at other batches
 */
@Api
public record MemoryEstimate(Map<Arena, Long> bytes, int batch, Later later, Scratch scratch) {
    /**
     * A workspace at any batch.
     *
     * @param fixed bytes at each
     * @param growing bytes at this one that grow with the batch, by the algorithms that take most, perhaps the fastest at another
     */
    public record Scratch(long fixed, long growing) {
        public static final Scratch NONE = new Scratch(0, 0);
    }

    /**
     * Of the same net at the same batch.
     *
     * @param models with weights and statistics
     * @param values bytes of evaluations' values, which grow with the batch
     * @param workspace bytes of their workspaces
     * @param scratch those at other batches
     */
    public record Later(int models, long values, long workspace, Scratch scratch) {
        public static final Later NONE = new Later(0, 0, 0, Scratch.NONE);
    }

    public long of(Arena arena) {
        return bytes.getOrDefault(arena, 0L);
    }

    private long models() {
        return later.models() * (of(Arena.PARAMS) + of(Arena.STATE));
    }

    private long evaluation() {
        return later.values() + later.workspace();
    }

    public long total() {
        return bytes.values().stream().mapToLong(Long::longValue).sum() + models() + evaluation();
    }

    /** The largest batch whose demand is at most {@code free}, or 0: values and a part of workspaces grow with the batch. */
    public int fitting(long free) {
        long values = of(Arena.ACTIVATIONS) + later.values();
        long workspaces = of(Arena.SCRATCH) + later.workspace();
        long rest = total()
                - values
                - workspaces
                + scratch.fixed()
                + later.scratch().fixed();
        double room = (double) free - rest;
        if (values == 0 || room <= 0) return 0;
        long growing = values + scratch.growing() + later.scratch().growing();
        return (int) Math.min(batch, Math.floor(batch * room / growing));
    }

    /** Such as {@code params 4.2 MiB, activations 310.0 MiB: 314.2 MiB}. */
    @Override
    public String toString() {
        String each = bytes.entrySet().stream()
                .map(e -> e.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " " + mebibytes(e.getValue()))
                .collect(Collectors.joining(", "));
        String more = (models() > 0 ? ", " + later.models() + " more models " + mebibytes(models()) : "")
                + (evaluation() > 0 ? ", evaluation " + mebibytes(evaluation()) : "");
        return each + more + ": " + mebibytes(total());
    }

    public static String mebibytes(long bytes) {
        return Format.of("%.1f MiB", bytes / 1048576.0);
    }
}
