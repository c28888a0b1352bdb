package io.basin.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Lays out an arena so that slots which are never alive at the same time share bytes: largest first, each at the
 * lowest offset where it overlaps nothing that is alive with it.
 */
final class Packing {
    private Packing() {}

    /** Places the slots; returns the arena's size in bytes. */
    static long place(List<Slot> slots) {
        List<Slot> order = new ArrayList<>(slots);
        order.sort(Comparator.comparingLong(Slot::padded).reversed());
        List<Slot> placed = new ArrayList<>();
        long size = 0;
        for (Slot slot : order) {
            slot.place(lowest(slot, placed));
            size = Math.max(size, slot.offset() + slot.padded());
            int at = 0;
            while (at < placed.size() && placed.get(at).offset() <= slot.offset()) at++;
            placed.add(at, slot);
        }
        return size;
    }

    /** {@code placed} is sorted by offset. */
    private static long lowest(Slot slot, List<Slot> placed) {
        long offset = 0;
        for (Slot other : placed) {
            boolean together = slot.birth <= other.death && other.birth <= slot.death;
            if (!together) continue;
            if (offset + slot.padded() <= other.offset()) break;
            offset = Math.max(offset, other.offset() + other.padded());
        }
        return offset;
    }
}
