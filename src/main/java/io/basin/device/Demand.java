package io.basin.device;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a plan is about to allocate, so that a device can say so, and refuse before anything is done, naming what would fit.
 *
 * @param bytes by arena, in the arenas' order; those that an earlier plan of the model allocated are left out
 * @param batch samples a step
 */
public record Demand(Map<Arena, Long> bytes, int batch) {
    public long total() {
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * The largest batch whose demand is at most {@code free}: what holds values grows with the batch, the rest does not.
     *
     * @return 0 where none is
     */
    public int fitting(long free) {
        long values = bytes.getOrDefault(Arena.ACTIVATIONS, 0L);
        double room = (double) free - (total() - values);
        return values == 0 || room <= 0 ? 0 : (int) Math.min(batch, Math.floor(batch * room / values));
    }

    /** Such as {@code params 4.2 MiB, activations 310.0 MiB: 314.2 MiB}. */
    @Override
    public String toString() {
        String each = bytes.entrySet().stream()
                .map(e -> e.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " " + mebibytes(e.getValue()))
                .collect(Collectors.joining(", "));
        return each + ": " + mebibytes(total());
    }

    public static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }
}
