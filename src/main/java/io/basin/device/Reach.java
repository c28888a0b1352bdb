package io.basin.device;

import io.basin.Api;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The memory whose addresses a piece of planned work keeps. Its owner may close it first, so the work asks before each run: an
 * address does not show what lies there now.
 */
@Api
public final class Reach {
    private record Part(String what, Memory memory) {}

    private final List<Part> parts = new ArrayList<>();
    /** How many of the parts, the first ones, stay for good. */
    private int fixed;

    /** Memory that stays the same for good. */
    public Reach add(String what, Memory memory) {
        parts.add(fixed++, new Part(what, memory));
        return this;
    }

    /** Takes up the memory of a plan's arenas, in place of what was bound before. */
    void bind(Map<Arena, Memory> arenas) {
        parts.subList(fixed, parts.size()).clear();
        arenas.forEach((arena, memory) -> parts.add(new Part("the memory of " + arena, memory)));
    }

    /** Takes up all that {@code other} reaches now. */
    public void addAll(Reach other) {
        parts.addAll(fixed, other.parts);
        fixed += other.parts.size();
    }

    /** @throws IllegalStateException where some of it is closed, naming the work and the memory */
    public void requireOpen(String work) {
        for (int i = 0; i < parts.size(); i++) {
            if (parts.get(i).memory.open()) continue;
            throw new IllegalStateException(work + ": " + parts.get(i).what
                    + " that it uses is closed: close what computes before what it uses");
        }
    }
}
