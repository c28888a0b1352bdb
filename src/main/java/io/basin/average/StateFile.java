package io.basin.average;

import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.TensorEntry;
import java.nio.file.Path;
import java.util.List;

/** An averager's state as a file: one F32 tensor for each array in each arena that holds something, and the counts. */
record StateFile(List<ForeignArrays.Array> arrays, Averager.Rule rule, Path file) {
    private static final String FORMAT = "basin.averages";

    record Counts(long steps, long collected) {}

    private interface Visitor {
        void visit(String tensor, int arena, int array);
    }

    /** The arenas in their order: the average, the variance, and the slots that are filled. */
    private int visit(long collected, Visitor visitor) {
        int first = rule.firstSlot();
        int arenas = first + rule.filled(collected);
        for (int a = 0; a < arenas; a++) {
            String slot = (rule.moments() ? "deviation" : "weights") + (a - first);
            String name = a == 0 ? "average" : a < first ? "variance" : slot;
            for (int i = 0; i < arrays.size(); i++)
                visitor.visit(name + "." + arrays.get(i).name(), a, i);
        }
        return arenas * arrays.size();
    }

    void save(long steps, long collected, ForeignArrays memory) {
        SafetensorsWriter out = Safetensors.writer()
                .metadata("format", FORMAT)
                .metadata("rule", rule.name())
                .metadata("steps", Long.toString(steps))
                .metadata("collected", Long.toString(collected));
        visit(
                collected,
                (tensor, arena, i) ->
                        out.add(tensor, Dtype.F32, new long[] {arrays.get(i).count()}, memory.read(arena, i)));
        out.write(file);
    }

    Counts restore(ForeignArrays memory) {
        try (Safetensors in = Safetensors.open(file, "name a file that Averager.save wrote")) {
            require(FORMAT.equals(in.metadata().get("format")), "holds no averages that Averager.save wrote");
            String made = in.metadata().get("rule");
            require(rule.name().equals(made), "was averaged by '" + made + "', not by '" + rule.name() + "'");
            Counts counts = new Counts(count(in, "steps"), count(in, "collected"));
            int tensors =
                    visit(counts.collected(), (tensor, arena, i) -> requireShape(in.tensor(tensor), arrays.get(i)));
            int more = in.tensors().size() - tensors;
            require(more == 0, "has " + more + " tensors of arrays that were not added");
            visit(counts.collected(), (tensor, arena, i) -> memory.write(arena, i, in.read(tensor)));
            return counts;
        }
    }

    private long count(Safetensors in, String key) {
        String text = String.valueOf(in.metadata().get(key));
        require(text.matches("\\d{1,18}"), "has no count '" + key + "'");
        return Long.parseLong(text);
    }

    private void requireShape(TensorEntry entry, ForeignArrays.Array array) {
        require(
                entry.dtype() == Dtype.F32 && entry.elements() == array.count(),
                "tensor " + entry.quoted() + " has " + entry.elements() + " elements of " + entry.dtype()
                        + ", but the array has " + array.count());
    }

    private void require(boolean fits, String problem) {
        if (!fits) throw new FormatException(file.toString(), problem);
    }
}
