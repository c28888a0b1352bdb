package io.basin.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The memory whose addresses a piece of planned work keeps. Whoever owns that memory may close it first, so the work asks
 * before each run: an address says nothing about what lies there now.
 */
public final class Reach {
    private record Part(String what, Memory memory) {}

    private final List<Part> fixed = new ArrayList<>();
    private final List<Part> bound = new ArrayList<>();

    /** Of the fused update. */
    public static Reach ofStep(Storage storage, Control control) {
        Reach reach = new Reach().add("the control block", control.memory());
        for (Arena arena : new Arena[] {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) {
            reach.add("the memory of " + arena, storage.memory(arena));
        }
        return reach;
    }

    /** Of a control point's update. */
    public static Reach ofBend(Storage storage, Memory point, Memory momentum, Coefficients c, Control control) {
        return ofStep(storage, control)
                .add("the point's memory", point)
                .add("the momentum's memory", momentum)
                .add("the table of coefficients", c.memory());
    }

    /** Of a combination. */
    public static Reach ofCombination(List<Memory> points, Coefficients c, Memory to) {
        Reach reach = new Reach().add("the table of coefficients", c.memory()).add("the combination's memory", to);
        for (Memory point : points) reach.add("a point's memory", point);
        if (c.control() != null) reach.add("the control block", c.control().memory());
        return reach;
    }

    /** Memory that stays the same for good. */
    public Reach add(String what, Memory memory) {
        fixed.add(new Part(what, memory));
        return this;
    }

    /** Memory that stays the same until the next {@link #unbind}. */
    public void bind(String what, Memory memory) {
        for (int i = 0; i < bound.size(); i++) if (bound.get(i).memory == memory) return;
        bound.add(new Part(what, memory));
    }

    public void unbind() {
        bound.clear();
    }

    /** Takes up all that {@code other} reaches now. */
    public void addAll(Reach other) {
        fixed.addAll(other.fixed);
        fixed.addAll(other.bound);
    }

    /** @throws IllegalStateException where some of it is closed, naming the work and the memory */
    public void requireOpen(String work) {
        requireOpen(fixed, work);
        requireOpen(bound, work);
    }

    private static void requireOpen(List<Part> parts, String work) {
        for (int i = 0; i < parts.size(); i++) {
            if (parts.get(i).memory.open()) continue;
            throw new IllegalStateException(work + ": " + parts.get(i).what
                    + " that it uses is closed: close what computes before what it uses");
        }
    }
}
