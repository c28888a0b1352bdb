package io.basin.landscape;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.Sha256;
import io.basin.rounds.Carrier;
import io.basin.rounds.ShareRun;
import io.basin.rounds.SharedFolder;
import io.basin.rounds.Shares;
import io.basin.rounds.Threads;
import io.basin.spark.SharesSource;
import io.basin.spark.SparkCarrier;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/** A small plane whose rows others measure, with a worker and a Spark application in processes of their own. */
public final class PointJob {
    static final Surface.Grid GRID = new Surface.Grid(Surface.Span.NETS, 6, -0.2, 1.2, 0, 1);

    private PointJob() {}

    static Shares shares() {
        return new PointShares(() -> new Landscape(Devices.open("cpu", 1)).data(0, 0, "exact"));
    }

    private record Source() implements SharesSource {
        private static final long serialVersionUID = 1;

        @Override
        public Shares make() {
            return shares();
        }
    }

    /** The sum of the plane's cells on disk. */
    static String sum(Path folder, Progress progress, BiFunction<Path, Shares, Carrier> carrier) {
        Shares shares = shares();
        try (Device device = Devices.open("cpu", 1);
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(0, 0, "exact");
                ShareRun run = new ShareRun(folder, shares, false, () -> carrier.apply(folder, shares))) {
            new Surface(data, GRID, folder, progress).by(run).run(nets(land, folder), List.of(), null);
            run.done();
        }
        return Sha256.of(folder.resolve("cells.jsonl"));
    }

    static List<Net> nets(Landscape land, Path folder) {
        return List.of(land.net(folder, "a", 1), land.net(folder, "b", 2), land.net(folder, "c", 3));
    }

    /** Drives a job in a folder on a Spark master or alone, or works on it under a name. */
    public static void main(String[] args) {
        Path folder = Path.of(args[1]);
        if (args[0].equals("spark"))
            System.out.println(sum(folder, Progress.NONE, (f, s) -> new SparkCarrier(f, s, new Source(), args[2])));
        else if (args[0].equals("threads"))
            System.out.println(sum(folder, Progress.NONE, (f, s) -> new Threads(f, s, 1)));
        else System.out.println(SharedFolder.work(folder, shares(), args[2], System.out::println));
    }
}
