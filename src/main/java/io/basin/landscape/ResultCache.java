package io.basin.landscape;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.io.Disk;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.train.Difference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Measured points on disk, a line each as soon as it is measured: a landscape that was interrupted goes on where it stopped and
 * measures nothing twice. The first line describes the measurement; a different one is refused.
 */
public final class ResultCache implements AutoCloseable {
    private final Map<String, LossAndError> known = new HashMap<>();
    private final JsonLines lines;
    private Progress.Counter counter = points -> {};

    /**
     * @param file new, or one that was written for the same {@code identity}
     * @param identity everything that the figures depend on, as text
     */
    public ResultCache(Path file, String identity) {
        List<JsonNode> there = Files.exists(file) ? JsonLines.read(file) : List.of();
        if (there.isEmpty()) {
            lines = JsonLines.create(file);
            lines.append(Map.of("identity", identity));
            return;
        }
        String old = there.get(0).path("identity").asText();
        Difference.requireNone(file, old, identity);
        for (JsonNode line : there.subList(1, there.size())) {
            try {
                known.put(line.required("point").asText(), Json.as(line, LossAndError.class));
            } catch (IllegalArgumentException e) {
                throw new FormatException(
                        file.toString(), "is not a list of measured points, delete it to measure again", e);
            }
        }
        lines = JsonLines.resume(file, wholeLines(file));
    }

    /** Bytes up to the end of the last line that is complete. */
    private static long wholeLines(Path file) {
        byte[] bytes = Disk.reading(file, () -> Files.readAllBytes(file));
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') end--;
        return end;
    }

    /** Has {@code counter} count every point, the known ones too. */
    void counting(Progress.Counter points) {
        counter = points;
    }

    void count(long points) {
        counter.step(points);
    }

    /** Null where they are not. */
    @Nullable
    LossAndError known(String point) {
        return known.get(point);
    }

    /** The figures of a point, measured now if they are not known yet. */
    public LossAndError figures(String point, Supplier<LossAndError> measure) {
        LossAndError f = known.get(point);
        if (f == null) {
            f = measure.get();
            keep(point, f);
        }
        counter.step(1);
        return f;
    }

    /** Takes up what was measured elsewhere, unless it is known. */
    void keep(String point, LossAndError f) {
        if (known.putIfAbsent(point, f) != null) return;
        lines.append(((ObjectNode) Json.tree(f)).put("point", point));
        lines.force();
    }

    @Override
    public void close() {
        lines.close();
    }
}
