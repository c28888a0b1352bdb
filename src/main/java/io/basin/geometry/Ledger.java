package io.basin.geometry;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FormatException;
import io.basin.io.JsonLines;
import io.basin.text.Reason;
import io.basin.train.Difference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Measured points on disk, a line each as soon as it is measured: a landscape that was interrupted goes on where it stopped and
 * measures nothing twice. The first line says what is measured; another question is refused.
 */
public final class Ledger implements AutoCloseable {
    private final Map<String, Figures> known = new HashMap<>();
    private final JsonLines lines;

    /**
     * @param file new, or one that was written for the same {@code identity}
     * @param identity everything that the figures depend on, as text
     */
    public Ledger(Path file, String identity) {
        if (!Files.exists(file)) {
            lines = JsonLines.create(file);
            lines.append(Map.of("identity", identity));
            return;
        }
        List<JsonNode> there = JsonLines.read(file);
        if (there.isEmpty()) {
            lines = JsonLines.create(file);
            lines.append(Map.of("identity", identity));
            return;
        }
        String old = there.get(0).path("identity").asText();
        if (!old.equals(identity)) {
            throw new IllegalArgumentException("--resume: " + file + " was made with other settings: "
                    + Difference.first(old, identity) + "; repeat them, or start in a new folder with --out");
        }
        for (JsonNode line : there.subList(1, there.size())) {
            if (!line.hasNonNull("point")) {
                throw new FormatException(
                        file.toString(),
                        "holds a line without 'point': it is not a list of points, delete it to measure again");
            }
            known.put(line.path("point").asText(), Figures.of(line));
        }
        lines = JsonLines.resume(file, wholeLines(file));
    }

    /** Bytes up to the end of the last line that is complete. */
    private static long wholeLines(Path file) {
        try {
            byte[] bytes = Files.readAllBytes(file);
            int end = bytes.length;
            while (end > 0 && bytes[end - 1] != '\n') end--;
            return end;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
        }
    }

    public boolean knows(String point) {
        return known.containsKey(point);
    }

    /** The figures of a point, measured now if they are not known yet. */
    public Figures figures(String point, Supplier<Figures> measure) {
        Figures there = known.get(point);
        if (there != null) return there;
        Figures f = measure.get();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("point", point);
        line.put("trainLoss", f.trainLoss());
        line.put("trainError", f.trainError());
        line.put("testLoss", f.testLoss());
        line.put("testError", f.testError());
        lines.append(line);
        lines.force();
        known.put(point, f);
        return f;
    }

    @Override
    public void close() {
        lines.close();
    }
}
