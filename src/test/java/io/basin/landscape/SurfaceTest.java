package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Progress;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Subject;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Planes: a loss known in closed form, the nets' own places, and grids that are interrupted. */
class SurfaceTest {
    private static final String ALL = "io.basin.device.Subject#all";

    @TempDir
    Path folder;

    /** With two weights the plane is all of weight space, and every cell's loss and error can be written down. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theSurfaceOfTwoWeightsIsTheKnownOne(Subject subject) {
        float[][] nets = {{0.5f, -1}, {2, 1.5f}, {-1.25f, 0.25f}};
        for (int n = 0; n < 3; n++) TwoParameters.save(folder.resolve(n + ".safetensors"), nets[n][0], nets[n][1]);
        BatchReader batch = new BatchReader(4, TwoParameters.AUGMENTATION, 0, false);
        try (Device device = subject.open();
                Images images = TwoParameters.set().upload(device);
                Model model = new Model(device, TwoParameters.graph());
                PointEvaluator evaluator = onOneSet(model, model.evaluator(images, batch))) {
            List<Memory> points = List.of(
                    evaluator.load(folder.resolve("0.safetensors")),
                    evaluator.load(folder.resolve("1.safetensors")),
                    evaluator.load(folder.resolve("2.safetensors")));
            Plane plane = Plane.through(
                    Vectors.read(device, points.get(0)),
                    Vectors.read(device, points.get(1)),
                    Vectors.read(device, points.get(2)));
            try (PointEvaluator.Probe probe = evaluator.probe(points)) {
                for (double x = -3; x <= 3; x += 0.75) {
                    for (double y = -3; y <= 3; y += 0.75) known(nets, x, y, probe.at(plane.shares(x, y)));
                }
            }
        }
    }

    private static PointEvaluator onOneSet(Model model, Evaluator all) {
        return new PointEvaluator(
                model,
                all,
                all,
                all,
                Evaluator.Refresh.EXACT,
                TwoParameters.set().labels());
    }

    /** u points from the first net to the third; v is u turned to the side on which the second one lies. */
    private static void known(float[][] nets, double x, double y, LossAndError f) {
        double[] u = {nets[2][0] - nets[0][0], nets[2][1] - nets[0][1]};
        double length = Math.hypot(u[0], u[1]);
        double side = Math.signum(u[0] * (nets[1][1] - nets[0][1]) - u[1] * (nets[1][0] - nets[0][0]));
        double a = nets[0][0] + (x * u[0] - side * y * u[1]) / length;
        double b = nets[0][1] + (x * u[1] + side * y * u[0]) / length;
        String where = x + ", " + y;
        assertEquals(TwoParameters.loss(a, b), f.trainLoss(), 2e-5, where);
        assertEquals(TwoParameters.loss(a, b), f.testLoss(), 2e-5, where);
        assertEquals(TwoParameters.spread(a, b), f.spread(), 5e-5, where);
        if (Math.abs(a - b) > 1e-3) assertEquals(TwoParameters.error(a, b), f.testError(), 1e-9, where);
    }

    /** The line of a curve passes through its ends, and half-way between two points of a chain that is their mean's place. */
    @ParameterizedTest
    @MethodSource(ALL)
    void curvesLieWhereTheirWeightsDo(Subject subject) throws Exception {
        Path into = Files.createDirectory(folder.resolve("out"));
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(20, 20, "single")) {
            List<Net> nets = nets(land, 3);
            Surface.Grid grid = new Surface.Grid(Surface.Span.NETS, 2, -0.2, 1.2, 0, 1);
            Surface.Result r = new Surface(data, grid, into, Progress.NONE)
                    .run(nets, List.of(), null, List.of(new Surface.Joined(Curve.POLYCHAIN, nets)));
            List<Plane.Spot> line = r.curves().get(0);
            int last = line.size() - 1;
            for (int n = 0; n < 3; n++) {
                Plane.Spot net = r.nets().get(n).spot();
                assertEquals(net.x(), line.get(n * last / 2).x(), 1e-9);
                assertEquals(net.y(), line.get(n * last / 2).y(), 1e-9);
            }
            double middle = (r.nets().get(0).spot().y() + r.nets().get(1).spot().y()) / 2;
            assertTrue(line.stream().anyMatch(s -> Math.abs(s.y() - middle) < 1e-9), "no point half-way");
        }
    }

    /** Li et al. 2018: around one net, its own statistics hold everywhere, whatever else was read for a mark. */
    @ParameterizedTest
    @MethodSource(ALL)
    void keptStatisticsAreThoseOfTheNet(Subject subject) throws Exception {
        Surface.Grid grid = new Surface.Grid(Surface.Span.FILTER, 3, -1, 1, 0.5, 1);
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                LandscapeData anew = land.data(0, 0, "exact");
                LandscapeData kept = land.data(0, 0, "keep");
                Model model = new Model(device, Landscape.graph())) {
            Net mark = land.net(folder, "mark", 2);
            Path file = folder.resolve("net.safetensors");
            model.initialise(1);
            try (PointEvaluator all = anew.evaluator(model)) {
                all.refresh(model.weights());
            }
            Checkpoint.saveModel(file, model, model.weights(), Map.of("model", "test", "dataset", "synthetic"));
            Net net = new Net("net", file);
            LossAndError[][][] planes = new LossAndError[2][][];
            for (int i = 0; i < 2; i++) {
                Path into = Files.createDirectory(folder.resolve("out" + i));
                planes[i] = new Surface(i == 0 ? anew : kept, grid, into, Progress.NONE)
                        .run(List.of(net), List.of(), mark)
                        .cells();
            }
            assertEquals(planes[0][1][1].trainLoss(), planes[1][1][1].trainLoss(), 1e-5, "at the net itself");
            assertTrue(Math.abs(planes[0][0][0].trainLoss() - planes[1][0][0].trainLoss()) > 1e-3, "away from it");
        }
    }

    private Surface.Result surface(Landscape land, Surface.Grid grid, Path into, List<Net> nets, Progress progress) {
        try (LandscapeData data = land.data(0, 0, "exact")) {
            return new Surface(data, grid, into, progress).run(nets, List.of(), null);
        }
    }

    private List<Net> nets(Landscape land, int count) {
        return List.of("a", "b", "c").subList(0, count).stream()
                .map(name -> land.net(folder, name, name.charAt(0)))
                .toList();
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anInterruptedGridGoesOnBitForBitAndMeasuresNoCellTwice(Subject subject) throws Exception {
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path cut = Files.createDirectory(folder.resolve("cut"));
        Surface.Grid grid = new Surface.Grid(Surface.Span.NETS, 5, -0.2, 1.2, 0, 1);
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = nets(land, 3);
            Surface.Result expected = surface(land, grid, whole, nets, Progress.NONE);
            for (int after : new int[] {3, 11}) {
                Progress power = new Landscape.Cut(after);
                assertThrows(IllegalStateException.class, () -> surface(land, grid, cut, nets, power));
            }
            // What a process that dies while writing leaves behind.
            Path cells = cut.resolve("cells.jsonl");
            Files.writeString(cells, Files.readString(cells) + "{\"point\":\"2 3\",\"trainL");
            Surface.Result resumed = surface(land, grid, cut, nets, Progress.NONE);
            for (int i = 0; i < 5; i++) assertArrayEquals(expected.cells()[i], resumed.cells()[i]);
            assertArrayEquals(Files.readAllBytes(whole.resolve("cells.jsonl")), Files.readAllBytes(cells));
            assertEquals(1 + 25, Files.readAllLines(cells).size());
            byte[] before = Files.readAllBytes(cells);
            surface(land, grid, cut, nets, Progress.NONE);
            assertArrayEquals(before, Files.readAllBytes(cells));
            Surface.Grid other = new Surface.Grid(Surface.Span.NETS, 6, -0.2, 1.2, 0, 1);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> surface(land, other, cut, nets, Progress.NONE));
            assertTrue(e.getMessage().contains("there 'grid=5', now 'grid=6'"), e.getMessage());
        }
    }

    /** The second of three nets may lie beyond the line from the first to the last: it is on the picture all the same. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theAxesHoldEveryNetOfThePlane(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = nets(land, 3);
            List<Net> plane = List.of(nets.get(0), nets.get(1), near(land, nets.get(0), nets.get(2)));
            Surface.Grid grid = new Surface.Grid(Surface.Span.NETS, 2, -0.25, 1.25, 0, 1);
            Surface.Result result =
                    surface(land, grid, Files.createDirectory(folder.resolve("p")), plane, Progress.NONE);
            double last = result.nets().get(2).spot().x();
            assertTrue(result.nets().get(1).spot().x() > 1.25 * last, "the second lies far beyond the last");
            for (Surface.Placed net : result.nets()) {
                assertTrue(result.xs()[0] < net.spot().x() && net.spot().x() < result.xs()[1], net.toString());
                assertTrue(result.ys()[0] < net.spot().y() && net.spot().y() < result.ys()[1], net.toString());
            }
        }
    }

    /** A fifth of the way from one net to another. */
    private Net near(Landscape land, Net from, Net to) {
        Net near = new Net("near", folder.resolve("near.safetensors"));
        try (LandscapeData data = land.data(0, 0, "exact");
                Model model = new Model(land.device, Landscape.graph());
                PointEvaluator evaluator = data.evaluator(model);
                PointEvaluator.Probe probe =
                        evaluator.probe(List.of(evaluator.load(from.file()), evaluator.load(to.file())))) {
            evaluator.refresh(probe.place(0.8, 0.2));
            Checkpoint.saveModel(near.file(), model, model.weights(), Map.of("model", "test", "dataset", "synthetic"));
        }
        return near;
    }

    /** Cells at the nets' places have the nets' own figures, measured as the nets themselves are. */
    @ParameterizedTest
    @MethodSource(ALL)
    void thePlaneReproducesItsNets(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = nets(land, 3);
            Surface.Grid grid = new Surface.Grid(Surface.Span.NETS, 2, 0, 1, 0, 1);
            Surface.Result result =
                    surface(land, grid, Files.createDirectory(folder.resolve("p")), nets, Progress.NONE);
            assertTrue(result.worstNetDifference() < 1e-6, "" + result.worstNetDifference());
            try (LandscapeData data = land.data(0, 0, "exact");
                    Model model = new Model(device, Landscape.graph());
                    PointEvaluator evaluator = data.evaluator(model)) {
                evaluator.read(nets.get(0).file());
                assertEquals(evaluator.measure(model.weights()), result.cells()[0][0]);
                evaluator.read(nets.get(2).file());
                assertEquals(evaluator.measure(model.weights()), result.cells()[0][1]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void thePlaneAroundANetHasTheNetInItsMiddle(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = nets(land, 1);
            for (Surface.Span span : List.of(Surface.Span.RANDOM, Surface.Span.FILTER)) {
                Surface.Grid grid = new Surface.Grid(span, 3, -1, 1, 0, 1);
                Path into = Files.createDirectory(folder.resolve(span.name()));
                Surface.Result result = surface(land, grid, into, nets, Progress.NONE);
                assertEquals(0, result.xs()[1]);
                assertEquals(0, result.worstNetDifference());
                try (LandscapeData data = land.data(0, 0, "exact");
                        Model model = new Model(device, Landscape.graph());
                        PointEvaluator evaluator = data.evaluator(model)) {
                    evaluator.read(nets.get(0).file());
                    assertEquals(evaluator.measure(model.weights()), result.cells()[1][1]);
                }
            }
        }
    }
}
