package io.basin.landscape;

import io.basin.Nullable;
import io.basin.device.Memory;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.Sha256;
import io.basin.rounds.ShareRun;
import io.basin.rounds.Shares;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Points to be measured, each a combination of the same arenas: here one after the other, or {@code each} at a time by workers that
 * compute shares. Either way the figures come in the table's order, to the same bits.
 *
 * <pre>
 *   a round's file   arena.J.NAME, statistics.NAME    what is combined; batch norm's statistics where they are kept
 *                    table (points, arenas) F64       shares of the arenas at each point
 *                    each                             points of a share
 *   a share's file   figures (points, 4 or 5) F64     in the order of {@link LossAndError}; 4 without spread
 * </pre>
 */
final class PointTable {
    private static final String TABLE = "table";
    private static final String EACH = "each";
    private static final String FIGURES = "figures";

    private final List<Memory> arenas;
    private final double[][] rows;
    private final IntFunction<String> key;
    private final int each;

    /** Values that every worker must share, beside data and device. */
    static String identity(LandscapeData data) {
        String all = data.identity() + ", net=" + data.graph.fingerprint();
        return "points of weight space, " + Sha256.of(all).substring(0, 16);
    }

    /** @param key of a point in a {@link ResultCache} */
    PointTable(List<Memory> arenas, double[][] rows, int each, IntFunction<String> key) {
        this.arenas = arenas;
        this.rows = rows;
        this.each = each;
        this.key = key;
    }

    /** One after the other, those that are not known yet. */
    LossAndError[] measure(PointEvaluator.Probe probe, ResultCache cache) {
        LossAndError[] figures = new LossAndError[rows.length];
        for (int i = 0; i < figures.length; i++) {
            double[] row = rows[i];
            figures[i] = cache.figures(key.apply(i), () -> probe.at(row));
        }
        return figures;
    }

    /**
     * The same by others, where {@code run} is given.
     *
     * @param round the run's, which is this table's alone
     */
    LossAndError[] measure(
            PointEvaluator.Probe probe,
            ResultCache cache,
            @Nullable ShareRun run,
            int round,
            LandscapeData data,
            Model model) {
        boolean known = IntStream.range(0, rows.length).allMatch(i -> cache.known(key.apply(i)) != null);
        if (run == null || known) return measure(probe, cache);
        Map<Integer, Shares.Made> there = new HashMap<>();
        for (int from = 0; from < rows.length; from += each) {
            List<LossAndError> all = IntStream.range(from, Math.min(from + each, rows.length))
                    .mapToObj(i -> cache.known(key.apply(i)))
                    .filter(Objects::nonNull)
                    .toList();
            if (all.size() == Math.min(each, rows.length - from)) there.put(from / each, new Figures(all));
        }
        long[] left = {rows.length};
        List<List<LossAndError>> made = run.run(
                new ShareRun.Round(round, identity(data), data.splits, file -> write(file, data, model), there),
                PointTable::figures,
                () -> {
                    // Spark may compute one twice.
                    cache.count(Math.max(0, Math.min(each, left[0])));
                    left[0] -= each;
                });
        LossAndError[] figures = made.stream().flatMap(List::stream).toArray(LossAndError[]::new);
        for (int i = 0; i < figures.length; i++) cache.keep(key.apply(i), figures[i]);
        return figures;
    }

    private void write(Path file, LandscapeData data, Model model) {
        SafetensorsWriter writer = Safetensors.writer()
                .metadata(EACH, Integer.toString(each))
                .add(TABLE, Dtype.F64, new long[] {rows.length, arenas.size()}, bytes(List.of(rows)));
        for (int j = 0; j < arenas.size(); j++) {
            Checkpoint.addArena(writer, data.device, model.store(), "arena." + j + ".", arenas.get(j));
        }
        if (data.keepsStatistics()) {
            Memory state = model.weights().state();
            model.store()
                    .states()
                    .forEach(
                            s -> writer.add("statistics." + s.name(), s.shape().toLongs(), s.read(data.device, state)));
        }
        writer.write(file);
    }

    /** The points as {@link #write} describes them: their shares of the arenas, and the points of one share. */
    record Written(List<double[]> rows, int each) {
        static Written of(Path file, Safetensors in) {
            int each;
            try {
                each = Integer.parseInt(in.metadata().getOrDefault(EACH, ""));
            } catch (NumberFormatException e) {
                each = 0;
            }
            List<double[]> rows = doubles(file, in, TABLE);
            if (each > 0 && !rows.isEmpty() && rows.get(0).length > 0) return new Written(rows, each);
            throw new FormatException(
                    file.toString(), "is not a table of points: begin the job anew in another folder");
        }

        int shares() {
            return (rows.size() + each - 1) / each;
        }

        List<double[]> rows(int share) {
            return rows.subList(share * each, Math.min(rows.size(), (share + 1) * each));
        }

        int arenas() {
            return rows.get(0).length;
        }

        /** Reads the arenas, and the statistics where they are kept, into a model's memory. */
        void read(Path file, Safetensors in, LandscapeData data, Model model, List<Memory> into) {
            for (int j = 0; j < into.size(); j++) {
                Checkpoint.readArena(file, in, data.device, model.store(), "arena." + j + ".", into.get(j));
            }
            if (!data.keepsStatistics()) return;
            Memory state = model.weights().state();
            model.store()
                    .states()
                    .forEach(s -> s.write(
                            data.device, state, Checkpoint.floats(file, in, "statistics." + s.name(), s.shape())));
        }
    }

    /** The result of a share. */
    record Figures(List<LossAndError> all) implements Shares.Made {
        @Override
        public void write(Path file, String by) {
            List<double[]> values = all.stream().map(Figures::row).toList();
            Safetensors.writer()
                    .metadata("computed_by", by)
                    .add(FIGURES, Dtype.F64, new long[] {values.size(), values.get(0).length}, bytes(values))
                    .write(file);
        }

        private static double[] row(LossAndError f) {
            Double spread = f.spread();
            return spread == null
                    ? new double[] {f.trainLoss(), f.trainError(), f.testLoss(), f.testError()}
                    : new double[] {f.trainLoss(), f.trainError(), f.testLoss(), f.testError(), spread};
        }

        @Override
        public Optional<String> difference(Path file) {
            return all.equals(figures(file)) ? Optional.empty() : Optional.of("its figures");
        }
    }

    private static List<LossAndError> figures(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            return doubles(file, in, FIGURES).stream()
                    .map(v -> new LossAndError(v[0], v[1], v[2], v[3], v.length > 4 ? (Double) v[4] : null))
                    .toList();
        }
    }

    private static ByteBuffer bytes(List<double[]> rows) {
        ByteBuffer all = ByteBuffer.allocate(rows.size() * rows.get(0).length * Double.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (double[] row : rows) for (double v : row) all.putDouble(v);
        return all.flip();
    }

    private static List<double[]> doubles(Path file, Safetensors in, String name) {
        List<Long> shape = in.tensor(name).shape();
        if (in.tensor(name).dtype() != Dtype.F64 || shape.size() != 2) {
            throw new FormatException(
                    file.toString(), "tensor '" + name + "' is not a table of numbers: another version wrote it");
        }
        ByteBuffer bytes = in.read(name);
        double[][] rows = new double[Math.toIntExact(shape.get(0))][Math.toIntExact(shape.get(1))];
        for (double[] row : rows) for (int i = 0; i < row.length; i++) row[i] = bytes.getDouble();
        return List.of(rows);
    }
}
