package io.basin.device;

import io.basin.Api;
import java.util.EnumMap;
import java.util.Map;

/** The memory of each arena, for one plan. */
@Api
public final class Binding {
    private final Map<Arena, Memory> arenas = new EnumMap<>(Arena.class);

    public Binding put(Arena arena, Memory memory) {
        arenas.put(arena, memory);
        return this;
    }

    /** Names all of it to work that keeps its addresses. */
    public void into(Reach reach) {
        reach.bind(arenas);
    }

    /** The memory of an arena. */
    public Memory memory(Arena arena) {
        Memory memory = arenas.get(arena);
        if (memory == null) throw new IllegalStateException("the plan has no " + arena + " arena");
        return memory;
    }
}
