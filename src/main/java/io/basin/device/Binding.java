package io.basin.device;

import java.util.EnumMap;
import java.util.Map;

/** Which memory each arena is, for one plan. */
public final class Binding {
    private final Map<Arena, Memory> arenas = new EnumMap<>(Arena.class);

    public Binding put(Arena arena, Memory memory) {
        arenas.put(arena, memory);
        return this;
    }

    /** Names all of it to work that keeps its addresses. */
    public void into(Reach reach) {
        reach.unbind();
        arenas.forEach((arena, memory) -> reach.bind("the memory of " + arena, memory));
    }

    /** The memory of an arena. */
    public Memory memory(Arena arena) {
        Memory memory = arenas.get(arena);
        if (memory == null) throw new IllegalStateException("the plan has no " + arena + " arena");
        return memory;
    }
}
