package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Subject;
import io.basin.io.Safetensors;
import io.basin.methods.Schedule;
import io.basin.train.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A whole connection: training, points, files; its ends; and what an interruption leaves. */
class ConnectionTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final int POINTS = 7;
    private static final int EPOCHS = 4;

    @TempDir
    Path folder;

    /** As {@link Landscape#data} takes them. */
    private record Sampled(int samples, int statistics, String refresh) {}

    private interface Trial {
        void accept(Landscape land, LandscapeData data, Net a, Net b) throws Exception;
    }

    /** Two nets of different seeds and the data that paths between them are measured on. */
    private void between(Subject subject, Sampled how, Trial trial) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(how.samples, how.statistics, how.refresh)) {
            trial.accept(land, data, land.net(folder, "a", 1), land.net(folder, "b", 2));
        }
    }

    private static Connection.Result connect(Landscape land, LandscapeData data, Net a, Net b, Path into, Progress p) {
        return connect(land, data, a, b, into, p, false);
    }

    private static Connection.Result connect(
            Landscape land, LandscapeData data, Net a, Net b, Path into, Progress p, boolean freeEnds) {
        Settings settings = Landscape.SETTINGS;
        int steps = EPOCHS * land.splits.stepsPerEpoch();
        CurveTraining.CurveConfig config = new CurveTraining.CurveConfig(
                Curve.BEZIER, 2, Schedule.sgdPaper(steps, 0.05), settings, 3, land.splits.augmentation(), freeEnds);
        return new Connection(data, config, into, p).run(a, b, POINTS);
    }

    /** With batch norm: t = 0 and t = 1 are the nets, weights and outputs, each with statistics of its own. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theCurvesEndsReproduceTheNetsBitForBit(Subject subject) throws Exception {
        between(subject, new Sampled(0, 0, "exact"), (land, data, a, b) -> {
            Path into = Files.createDirectory(folder.resolve("out"));
            Connection.Result r = connect(land, data, a, b, into, Progress.NONE);
            assertTrue(r.endsAreParents());
            assertEquals(0, r.worstEndDifference());
            assertEquals(r.line().figures()[0], r.curve().figures()[0]);
            assertEquals(r.line().figures()[POINTS - 1], r.curve().figures()[POINTS - 1]);
            assertTrue(
                    r.curve().of(LossAndError::trainLoss).mean()
                            < r.line().of(LossAndError::trainLoss).mean(),
                    "training lowered nothing");
        });
    }

    /** Distances between neighbouring points, from the points' own weights. */
    @ParameterizedTest
    @MethodSource(ALL)
    void lengthsAreThoseOfTheWeights(Subject subject) throws Exception {
        between(subject, new Sampled(0, 0, "single"), (land, data, a, b) -> {
            Path into = Files.createDirectory(folder.resolve("out"));
            Connection.Result r = connect(land, data, a, b, into, Progress.NONE);
            double[][] w = new double[4][];
            w[0] = weights(a.file(), "");
            w[3] = weights(b.file(), "");
            for (int j = 1; j <= 2; j++) w[j] = weights(into.resolve("curve.safetensors"), "bend." + j + ".");
            double[] before = null;
            double total = 0;
            for (int s = 0; s < POINTS; s++) {
                double t = s / (POINTS - 1.0);
                double[] c = {(1 - t) * (1 - t) * (1 - t), 3 * t * (1 - t) * (1 - t), 3 * t * t * (1 - t), t * t * t};
                double[] here = new double[w[0].length];
                for (int j = 0; j < 4; j++) for (int i = 0; i < here.length; i++) here[i] += c[j] * w[j][i];
                double square = 0;
                for (int i = 0; before != null && i < here.length; i++) square += Math.pow(here[i] - before[i], 2);
                if (before != null) assertEquals(Math.sqrt(square), r.curve().lengths()[s - 1], 1e-6);
                total += Math.sqrt(square);
                before = here;
            }
            assertEquals(total, r.curve().length(), 1e-5);
            assertTrue(r.line().length() < r.curve().length());
        });
    }

    /** wd/2 |w|^2 of the nets at the ends, whose weights all decay; in the middle of the line, of their mean. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theRegularisedLossAddsWeightDecaysTerm(Subject subject) throws Exception {
        between(subject, new Sampled(0, 0, "single"), (land, data, a, b) -> {
            Path into = Files.createDirectory(folder.resolve("out"));
            PathMetrics line = connect(land, data, a, b, into, Progress.NONE).line();
            double[] first = weights(a.file(), "");
            double[] last = weights(b.file(), "");
            double[] squares = new double[3];
            for (int i = 0; i < first.length; i++) {
                squares[0] += first[i] * first[i];
                squares[1] += Math.pow((first[i] + last[i]) / 2, 2);
                squares[2] += last[i] * last[i];
            }
            for (int p = 0; p < 3; p++) {
                int at = p * (POINTS - 1) / 2;
                assertEquals(5e-4 / 2 * squares[p], line.decay()[at], 1e-7);
                assertEquals(
                        line.figures()[at].trainLoss() + line.decay()[at], line.regularised()[at], 1e-12, "point " + p);
            }
            assertTrue(line.decay()[0] > 1e-3, "the trial must tell a term from none");
        });
    }

    /** The line still joins the nets; the curve's ends have left them, and are files like the bends. */
    @ParameterizedTest
    @MethodSource(ALL)
    void freeEndsLeaveTheNets(Subject subject) throws Exception {
        between(subject, new Sampled(0, 0, "single"), (land, data, a, b) -> {
            Path into = Files.createDirectory(folder.resolve("out"));
            Path fixed = Files.createDirectory(folder.resolve("fixed"));
            Connection.Result r = connect(land, data, a, b, into, Progress.NONE, true);
            Connection.Result kept = connect(land, data, a, b, fixed, Progress.NONE);
            assertArrayEquals(kept.line().figures(), r.line().figures());
            double[] end = weights(into.resolve("bend-0.safetensors"), "");
            double square = 0;
            double[] net = weights(a.file(), "");
            for (int i = 0; i < net.length; i++) square += Math.pow(end[i] - net[i], 2);
            assertEquals(Math.sqrt(square), r.firstMoved(), 1e-6);
            assertTrue(r.firstMoved() > 1e-3 && r.lastMoved() > 1e-3, r.firstMoved() + ", " + r.lastMoved());
            assertEquals(0, kept.firstMoved() + kept.lastMoved());
            assertTrue(
                    r.curve().figures()[0].trainLoss() < r.line().figures()[0].trainLoss(), "training moved it down");
        });
    }

    /** All weights, batch norm's statistics not among them. */
    private static double[] weights(Path file, String prefix) {
        try (Safetensors in = Safetensors.open(file)) {
            return in.tensors().keySet().stream()
                    .filter(name -> name.startsWith(prefix) && !name.contains("running"))
                    .sorted()
                    .map(in::floats)
                    .flatMapToDouble(v -> IntStream.range(0, v.length).mapToDouble(i -> v[i]))
                    .toArray();
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aCutConnectionEndsWithTheSameFiles(Subject subject) throws Exception {
        between(subject, new Sampled(0, 32, "exact"), (land, data, a, b) -> {
            Path whole = Files.createDirectory(folder.resolve("whole"));
            Path cut = Files.createDirectory(folder.resolve("cut"));
            Landscape.Cut meter = new Landscape.Cut(Long.MAX_VALUE);
            connect(land, data, a, b, whole, meter);
            int steps = EPOCHS * land.splits.stepsPerEpoch();
            assertEquals(steps + 2 * POINTS + 2, meter.seen);
            // Within the second epoch; then after the training, between points.
            for (long after : new long[] {steps / 3, steps + 5}) {
                assertThrows(
                        IllegalStateException.class, () -> connect(land, data, a, b, cut, new Landscape.Cut(after)));
            }
            connect(land, data, a, b, cut, Progress.NONE);
            for (String file : new String[] {
                "curve.safetensors", "points.jsonl", "training.jsonl", "bend-1.safetensors", "bend-2.safetensors"
            }) {
                assertArrayEquals(Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(cut.resolve(file)), file);
            }
            Net c = land.net(folder, "c", 3);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> connect(land, data, a, c, cut, Progress.NONE));
            assertTrue(e.getMessage().contains("last="), e.getMessage());
        });
    }
}
