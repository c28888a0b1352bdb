package io.basin.average;

import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What an averager knows, as a file: one F32 tensor for each array in each arena that holds something, and the counts. */
final class StateFile {
    private static final String FORMAT = "basin.averages";
    private static final String RULE = "rule";
    private static final String STEPS = "steps";
    private static final String COLLECTED = "collected";

    private final List<ForeignArrays.Array> arrays;
    private final Rule rule;

    record Counts(long steps, long collected) {}

    /** An arena's content of an array, in native order. */
    interface Source {
        ByteBuffer read(int arena, int array);
    }

    interface Target {
        void write(int arena, int array, ByteBuffer from);
    }

    StateFile(List<ForeignArrays.Array> arrays, Rule rule) {
        this.arrays = arrays;
        this.rule = rule;
    }

    /** The names of the arenas that hold something, in their order. */
    private List<String> arenas(long collected) {
        List<String> names = new ArrayList<>(List.of("average."));
        if (rule.moments()) names.add("variance.");
        String slot = rule.moments() ? "deviation" : "weights";
        for (int j = 0; j < Math.min(collected, rule.window()); j++) names.add(slot + j + ".");
        return names;
    }

    void save(Path file, long steps, long collected, Source source) {
        SafetensorsWriter out = Safetensors.writer()
                .metadata("format", FORMAT)
                .metadata(RULE, rule.name())
                .metadata(STEPS, Long.toString(steps))
                .metadata(COLLECTED, Long.toString(collected));
        List<String> names = arenas(collected);
        for (int a = 0; a < names.size(); a++) {
            for (int i = 0; i < arrays.size(); i++) {
                long[] shape = {arrays.get(i).count()};
                out.add(names.get(a) + arrays.get(i).name(), Dtype.F32, shape, source.read(a, i));
            }
        }
        out.write(file);
    }

    Counts restore(Path file, Target target) {
        try (Safetensors in = Safetensors.open(file)) {
            if (!FORMAT.equals(in.metadata().get("format"))) {
                throw new FormatException(file.toString(), "holds no averages that Averager.save wrote");
            }
            String made = in.metadata().get(RULE);
            if (!rule.name().equals(made)) {
                throw new FormatException(file.toString(), "was averaged by '" + made + "', not by '" + rule.name() + "'");
            }
            Counts counts = new Counts(count(file, in, STEPS), count(file, in, COLLECTED));
            List<String> names = arenas(counts.collected());
            requireShapes(file, in, names);
            for (int a = 0; a < names.size(); a++) {
                for (int i = 0; i < arrays.size(); i++) {
                    target.write(a, i, in.read(names.get(a) + arrays.get(i).name()));
                }
            }
            return counts;
        }
    }

    private static long count(Path file, Safetensors in, String key) {
        String text = String.valueOf(in.metadata().get(key));
        if (text.matches("\\d{1,18}")) return Long.parseLong(text);
        throw new FormatException(file.toString(), "has no count '" + key + "'");
    }

    private void requireShapes(Path file, Safetensors in, List<String> names) {
        int more = in.tensors().size() - names.size() * arrays.size();
        for (String prefix : names) {
            for (ForeignArrays.Array array : arrays) {
                TensorEntry entry = in.tensor(prefix + array.name());
                if (entry.dtype() == Dtype.F32 && entry.elements() == array.count()) continue;
                throw new FormatException(
                        file.toString(),
                        "tensor " + entry.quoted() + " has " + entry.elements() + " elements of " + entry.dtype()
                                + ", but the array has " + array.count());
            }
        }
        if (more > 0) throw new FormatException(file.toString(), "has " + more + " tensors of arrays that were not added");
    }
}
