package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.exchange.Events;
import io.basin.io.JsonLines;
import io.basin.io.Safetensors;
import io.basin.train.Trainer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.framework.HistogramProto;
import org.tensorflow.framework.Summary;

/** What TensorBoard is told of runs: all that their metrics say, once, whatever became of the process that trained. */
@Timeout(300)
class TensorBoardTest {
    private static final int STEPS_PER_EPOCH = 10;
    private static final int EPOCHS = 4;

    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Path board;

    @TempDir
    Path folder;

    private static List<Object> words(String command, Path out, Object... more) {
        List<Object> words = new ArrayList<>(List.of(command, "mnist", "--data-dir", data, "--out", out));
        words.addAll(List.of("--model", "lenet-bn", "--epochs", EPOCHS, "--batch-size", 20, "--validation", 40));
        words.addAll(List.of("--device", "cpu", "--threads", 1));
        words.addAll(List.of(more));
        return words;
    }

    private static Shell basin(String command, Path out, Object... more) {
        return Shell.run(words(command, out, more).toArray());
    }

    @BeforeAll
    static void compare() {
        data = Shell.grey(shared.resolve("data"), 240, 60);
        run = shared.resolve("run");
        board = shared.resolve("boards/run");
        Shell shell = basin(
                "compare",
                run,
                "--methods",
                "sgd,swa,ema,fge",
                "--seeds",
                2,
                "--tensorboard",
                shared.resolve("boards"));
        assertEquals(0, shell.code(), shell.err());
    }

    private static Map<Long, Double> scalars(List<Events.Point> points, String tag) {
        return points.stream().filter(p -> p.tag().equals(tag)).collect(Collectors.toMap(Events.Point::step, p ->
                (double) p.value().getSimpleValue()));
    }

    private static Path metrics(String method) throws IOException {
        try (Stream<Path> groups = Files.list(run.resolve("seed-2"))) {
            return groups.filter(g ->
                            List.of(g.getFileName().toString().split("\\+")).contains(method))
                    .findFirst()
                    .orElseThrow()
                    .resolve("metrics.jsonl");
        }
    }

    @Test
    void eachMethodAndSeedIsARunWithTheFiguresOfItsMetrics() throws IOException {
        try (Stream<Path> runs = Files.list(board)) {
            assertEquals(
                    Set.of("sgd", "swa", "ema", "fge", "report"),
                    runs.map(p -> p.getFileName().toString()).collect(Collectors.toSet()));
        }
        for (String method : List.of("sgd", "swa", "ema", "fge")) {
            List<Events.Point> points = Events.points(board.resolve(method).resolve("seed-2"));
            List<JsonNode> lines = JsonLines.read(metrics(method));
            assertEquals(EPOCHS, lines.size());
            for (String figure : List.of("loss", "accuracy", "validation_loss", "average_loss", "average_accuracy")) {
                Map<Long, Double> found =
                        scalars(points, figure.contains("_") ? figure.replace('_', '/') : "training/" + figure);
                boolean others =
                        figure.startsWith("average") && Set.of("sgd", "fge").contains(method);
                for (JsonNode line : lines) {
                    Double value = found.remove(line.path("step").asLong());
                    if (others || !line.has(figure)) assertEquals(null, value, method + " " + figure);
                    else assertEquals(line.path(figure).asDouble(), value, 1e-6, method + " " + figure);
                }
                assertEquals(Map.of(), found);
            }
            assertFalse(
                    method.equals("swa") && scalars(points, "average/accuracy").isEmpty());
        }
    }

    @Test
    void ratesAndAveragingWeightsAreThoseOfTheirTables() throws IOException {
        Path plan = folder.resolve("plan.csv");
        Shell planned = Shell.run(
                "schedule",
                "mnist",
                "--model",
                "lenet-bn",
                "--samples",
                240,
                "--validation",
                40,
                "--epochs",
                EPOCHS,
                "--batch-size",
                20,
                "--methods",
                "sgd,swa,ema,fge",
                "--csv",
                plan);
        assertEquals(0, planned.code(), planned.err());
        List<String[]> rows =
                Files.readAllLines(plan).stream().map(l -> l.split(",", -1)).toList();
        List<String> names = List.of(rows.get(0));
        for (String method : List.of("sgd", "swa", "ema", "fge")) {
            List<Events.Point> points = Events.points(board.resolve(method).resolve("seed-1"));
            Map<Long, Double> lr = scalars(points, "schedule/learning rate");
            Map<Long, Double> alpha = scalars(points, "schedule/averaging weight");
            assertEquals(EPOCHS * STEPS_PER_EPOCH, lr.size());
            for (String[] row : rows.subList(1, rows.size())) {
                if (!row[names.indexOf("method")].equals(method)) continue;
                long step = Long.parseLong(row[names.indexOf("step")]) + 1;
                assertEquals(Double.parseDouble(row[names.indexOf("lr")]), lr.remove(step), 1e-7, method + step);
                double weight = Double.parseDouble(row[names.indexOf("alpha")]);
                if (!method.equals("swa") && !method.equals("ema")) weight = 0;
                assertEquals(weight, alpha.getOrDefault(step, 0.0), 1e-7, method + " " + step);
            }
            assertEquals(Map.of(), lr);
        }
    }

    @Test
    void theLastHistogramsAreThoseOfTheWeightsThatTheRunEndsWith() throws IOException {
        List<Events.Point> points = Events.points(board.resolve("sgd/seed-1"));
        Set<String> tags = new TreeSet<>();
        try (Stream<Path> files = Files.walk(run.resolve("seed-1"));
                Safetensors net = Safetensors.open(files.filter(f -> f.endsWith("sgd.safetensors"))
                        .findFirst()
                        .orElseThrow())) {
            for (Events.Point p : points) {
                if (!p.tag().startsWith("weights/")) continue;
                tags.add(p.tag());
                HistogramProto h = p.value().getHisto();
                float[] values = net.floats(p.tag().substring(8));
                assertEquals(values.length, h.getNum());
                assertEquals(
                        values.length,
                        h.getBucketList().stream().mapToDouble(d -> d).sum());
                if (p.step() < EPOCHS * STEPS_PER_EPOCH) continue;
                assertEquals(
                        IntStream.range(0, values.length)
                                .mapToDouble(i -> values[i])
                                .min()
                                .orElseThrow(),
                        h.getMin());
                double squares = 0;
                for (float v : values) squares += (double) v * v;
                assertEquals(squares, h.getSumSquares(), 1e-9 * squares);
            }
            assertTrue(tags.contains("weights/conv1.weight"), tags.toString());
            assertEquals(
                    tags.size() * EPOCHS,
                    points.stream().filter(p -> p.value().hasHisto()).count());
        }
    }

    @Test
    void theReportsPicturesAreShown() throws IOException {
        List<Events.Point> points = Events.points(board.resolve("report"));
        Set<String> tags = new TreeSet<>();
        for (Events.Point p : points) {
            tags.add(p.tag());
            Summary.Image image = p.value().getImage();
            byte[] png = image.getEncodedImageString().toByteArray();
            assertArrayEquals(Files.readAllBytes(run.resolve("figures").resolve(p.tag() + ".png")), png);
            var drawn = ImageIO.read(new ByteArrayInputStream(png));
            assertEquals(List.of(drawn.getWidth(), drawn.getHeight()), List.of(image.getWidth(), image.getHeight()));
        }
        assertTrue(tags.containsAll(Set.of("learning-rate", "averaging-weight", "training-loss")), tags.toString());
        Shell shell = Shell.run("report", run, "--tensorboard", folder);
        assertEquals(0, shell.code(), shell.err());
        assertEquals(
                "where-averaging-pays",
                Events.points(folder.resolve("report")).get(0).tag());
    }

    @Test
    void aKilledRunThatGoesOnTellsTheSameAsOneThatNobodyDisturbed() throws Exception {
        Path out = folder.resolve("run");
        Path boards = folder.resolve("boards");
        Path events = boards.resolve("run/swa/seed-1/events.out.tfevents.basin");
        List<Object> words = words("train", out, "--method", "swa", "--checkpoint-every", 3, "--tensorboard", boards);
        Child child = Child.start(folder, words);
        Path part = out.resolve("seed-1/swa");
        while (child.process().isAlive() && Trainer.progress(part) < 2 * STEPS_PER_EPOCH) Thread.sleep(1);
        child.process().destroyForcibly();
        assertTrue(child.code() != 0 && Files.exists(events), child.complained());
        Files.write(events, new byte[] {1, 0, 0, 0, 0, 0, 0}, StandardOpenOption.APPEND);
        Shell shell = Shell.run("train", "--resume", out);
        assertEquals(0, shell.code(), shell.err());
        assertEquals(shown(board.resolve("swa/seed-1")), shown(boards.resolve("run/swa/seed-1")));
    }

    private static List<String> shown(Path events) throws IOException {
        return Events.points(events).stream().map(Events.Point::toString).toList();
    }

    @Test
    void eventsChangeNoBitAndCurvesOfARunThatHadNoneAreMadeUpFromItsMetrics() throws IOException {
        Path out = folder.resolve("plain");
        Path table = folder.resolve("metrics.csv");
        assertEquals(0, basin("train", out, "--method", "swa").code());
        String weights = "seed-1/swa/swa.safetensors";
        try (Safetensors a = Safetensors.open(out.resolve(weights));
                Safetensors b = Safetensors.open(run.resolve(weights))) {
            assertEquals(a.tensors().keySet(), b.tensors().keySet());
            for (String name : a.tensors().keySet()) assertArrayEquals(a.floats(name), b.floats(name), name);
        }
        Shell again = Shell.run("train", "--resume", out, "--tensorboard", folder, "--metrics-csv", table);
        assertEquals(0, again.code(), again.err());
        List<String> told = shown(board.resolve("swa/seed-1")).stream()
                .filter(p -> !p.contains(" weights/"))
                .toList();
        assertEquals(told, shown(folder.resolve("plain/swa/seed-1")));

        List<String> lines = Files.readAllLines(table);
        List<JsonNode> metrics = JsonLines.read(out.resolve("metrics.jsonl"));
        assertEquals(EPOCHS + 1, lines.size());
        List<String> names = List.of(lines.get(0).split(","));
        assertTrue(names.containsAll(List.of("epoch", "step", "lr", "loss", "average_accuracy", "seed", "run")));
        for (int i = 0; i < EPOCHS; i++) {
            String[] cells = lines.get(i + 1).split(",", -1);
            assertEquals(names.size(), cells.length);
            for (int k = 0; k < cells.length; k++) {
                assertEquals(metrics.get(i).path(names.get(k)).asText(), cells[k], names.get(k));
            }
        }
    }

    @Test
    void eventsOfAnotherRunAndPlacesThatTakeNoneAreRefused() throws IOException {
        Path out = folder.resolve("run");
        Shell other = basin("train", out, "--method", "sgd", "--tensorboard", shared.resolve("boards"));
        assertEquals(2, other.code());
        assertTrue(other.complaint().contains("--tensorboard: " + board + " holds the events of another run"));
        Path file = Files.writeString(folder.resolve("file"), "x");
        Shell taken = basin("train", out, "--method", "sgd", "--tensorboard", file.resolve("below"));
        assertEquals(2, taken.code());
        assertTrue(taken.complaint().contains("--tensorboard: " + file + " is a file: name another folder"));
        Shell twice = basin("train", out, "--method", "sgd", "--csv", file, "--metrics-csv", file);
        assertEquals(2, twice.code());
        assertTrue(twice.complaint().contains("--csv and --metrics-csv both name " + file), twice.complaint());
    }
}
