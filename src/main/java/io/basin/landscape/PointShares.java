package io.basin.landscape;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Memory;
import io.basin.io.OnFailure;
import io.basin.io.Safetensors;
import io.basin.rounds.Shares;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Points of weight space as shares: rows of a plane's cells, stretches of a curve. The arenas that are combined and the coordinates
 * come in the round's file, so that a worker needs the data alone.
 */
@Api
public final class PointShares implements Shares {
    private final Supplier<LandscapeData> data;

    /** @param data opens them on a device of their own; a worker closes data, splits and device */
    public PointShares(Supplier<LandscapeData> data) {
        this.data = data;
    }

    @Override
    public int count(int round, Path begin) {
        try (Safetensors in = Safetensors.open(begin)) {
            return PointTable.Written.of(begin, in).shares();
        }
    }

    @Override
    public Maker open() {
        LandscapeData opened = data.get();
        return OnFailure.close(() -> close(opened), () -> new Probes(opened));
    }

    private static void close(LandscapeData data) {
        data.close();
        data.splits.close();
        data.device.close();
    }

    /** Keeps the arenas of the round that it last saw on the device. */
    private static final class Probes implements Maker {
        private final LandscapeData data;
        private final Model model;
        private final PointEvaluator evaluator;
        private final List<Memory> arenas = new ArrayList<>();
        private @Nullable Path from;
        private PointTable.@Nullable Written table;
        private PointEvaluator.@Nullable Probe probe;

        Probes(LandscapeData data) {
            this.data = data;
            model = new Model(data.device, data.graph);
            evaluator = OnFailure.close(model, () -> data.evaluator(model));
        }

        @Override
        public Splits splits() {
            return data.splits;
        }

        @Override
        public String identity() {
            return PointTable.identity(data);
        }

        @Override
        public Made make(Task task, BooleanSupplier stop) {
            PointTable.Written points = table;
            PointEvaluator.Probe at = probe;
            if (points == null || at == null || !task.begin().equals(from)) {
                table = points = read(task.begin());
                forget();
                probe = at = evaluator.probe(arenas.subList(0, points.arenas()));
            }
            List<LossAndError> figures = new ArrayList<>();
            for (double[] row : points.rows(task.share())) {
                if (stop.getAsBoolean()) throw new Stopped();
                figures.add(at.at(row));
            }
            return new PointTable.Figures(figures);
        }

        private PointTable.Written read(Path file) {
            from = null;
            try (Safetensors in = Safetensors.open(file)) {
                PointTable.Written points = PointTable.Written.of(file, in);
                while (arenas.size() < points.arenas()) arenas.add(evaluator.arena());
                points.read(file, in, data, model, arenas.subList(0, points.arenas()));
                from = file;
                return points;
            }
        }

        private void forget() {
            if (probe != null) probe.close();
            probe = null;
        }

        @Override
        public void close() {
            forget();
            evaluator.close();
            model.close();
            PointShares.close(data);
        }
    }
}
