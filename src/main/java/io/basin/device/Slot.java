package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;

/**
 * A declared piece of an arena, whose offset is known once the arena is laid out.
 *
 * <p>A slot of ACTIVATIONS also knows the span of time in which it holds something, so that slots which are never alive together
 * may share bytes. Time counts operations: forward of operation i is at i, its backward at 2n - 1 - i.
 */
@Api
public final class Slot {
    public static final int ALIGNMENT = 256;

    private final Arena arena;
    private final long bytes;
    private long offset = -1;
    private @Nullable Slot same;
    int birth = Integer.MAX_VALUE;
    int death = Integer.MIN_VALUE;

    public Slot(Arena arena, long bytes) {
        this.arena = arena;
        this.bytes = bytes;
    }

    public Arena arena() {
        return arena;
    }

    public long bytes() {
        return bytes;
    }

    /** Bytes rounded up to the alignment of slots; the bytes between are zero for the arena's whole life. */
    public long padded() {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Offset in bytes from the arena's start. */
    public long offset() {
        Slot root = root();
        if (root.offset < 0) throw new IllegalStateException("a slot was used before its arena was laid out");
        return root.offset;
    }

    void place(long at) {
        offset = at;
    }

    /** Makes this slot another name for {@code other}: a sum's gradient is the gradient of each of its terms. */
    public void becomes(Slot other) {
        if (other.bytes < bytes) throw new IllegalArgumentException("an alias must fit the slot it names");
        if (other.root() == this) throw new IllegalArgumentException("a slot cannot be an alias of itself");
        Slot root = other.root();
        root.birth = Math.min(root.birth, birth);
        root.death = Math.max(root.death, death);
        same = other;
    }

    Slot root() {
        return same == null ? this : same.root();
    }

    /** Says that the slot holds something at {@code time}. */
    public void alive(int time) {
        Slot root = root();
        root.birth = Math.min(root.birth, time);
        root.death = Math.max(root.death, time);
    }
}
