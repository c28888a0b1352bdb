package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.Parameter;
import io.basin.exchange.EventFile;
import io.basin.exchange.EventFile.Values;
import io.basin.io.JsonLines;
import io.basin.methods.Method;
import io.basin.train.NetMemory;
import io.basin.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A part of a group in TensorBoard: a run for each of its methods, alike but for figures of an average, which only methods that
 * predict with it have.
 *
 * <p>Figures stand at the steps where epochs end. Those of epochs that were trained before events were asked for come from
 * the part's metrics. Rates and averaging weights have sixteen points an epoch.
 */
final class Board implements AutoCloseable {
    private static final List<String> FIGURES =
            List.of("loss", "accuracy", "validation_loss", "validation_accuracy", "average_loss", "average_accuracy");
    private static final int POINTS = 16;

    private record Run(EventFile events, boolean averages) {}

    private final List<Run> runs = new ArrayList<>();
    private final double[] lr;
    private final double[] alpha;
    private final int begin;
    private final int stride;

    /** @param done steps of the part that are trained: events of later ones are dropped */
    Board(Place place, Group group, int part, int done) {
        lr = group.schedule(part).lr();
        alpha = group.averaging(part).alpha();
        begin = group.begin(part);
        stride = Math.max(1, place.splits().stepsPerEpoch() / POINTS);
        Path root = place.events();
        if (root == null) return;
        try {
            for (Method m : group.methods()) {
                Path folder = group.partFolder(root.resolve(m.name()).resolve("seed-" + place.seed()), part);
                runs.add(new Run(EventFile.upTo(folder, done), m.product().averages()));
            }
            Path metrics = group.metrics(place.folder(), part);
            if (done > 0 && Files.exists(metrics)) JsonLines.read(metrics).forEach(line -> makeUp(line, done));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void makeUp(JsonNode line, int done) {
        int step = line.path("step").asInt();
        Map<String, Double> figures = new LinkedHashMap<>();
        for (String name : FIGURES)
            if (line.has(name)) figures.put(name, line.path(name).asDouble());
        for (Run run : runs) if (step <= done && run.events.step() < step) write(run, step, figures);
    }

    /**
     * @param measured beside the epoch's own figures
     * @param model as the epoch left it
     */
    void epoch(Trainer.Epoch epoch, Map<String, Object> measured, NetMemory model) {
        if (runs.isEmpty()) return;
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("loss", epoch.loss());
        figures.put("accuracy", epoch.accuracy());
        measured.forEach((name, value) -> figures.put(name, ((Number) value).doubleValue()));
        Values weights = new Values();
        for (Parameter p : model.store().parameters()) weights.histogram("weights/" + p.name(), model.read(p.name()));
        for (Run run : runs) {
            write(run, epoch.step(), figures);
            run.events.append(epoch.step(), weights);
        }
    }

    /** Rates and averaging weights since the last event, and what was measured at {@code end}. */
    private void write(Run run, int end, Map<String, Double> figures) {
        for (int from = Math.max(begin, (int) run.events.step()); from < end; from = (int) run.events.step()) {
            int to = Math.min(end, (from / stride + 1) * stride);
            Values values = new Values().scalar("schedule/learning rate", lr[to - 1]);
            double weight = 0;
            for (int s = from; s < to; s++) if (alpha[s] != 0) weight = alpha[s];
            if (run.averages && weight != 0) values.scalar("schedule/averaging weight", weight);
            if (to == end) figures.forEach((name, value) -> figure(run, values, name, value));
            run.events.append(to, values);
        }
    }

    private static void figure(Run run, Values values, String name, double value) {
        boolean average = name.startsWith("average_");
        if (average && !run.averages) return;
        values.scalar(name.contains("_") ? name.replace('_', '/') : "training/" + name, value);
    }

    @Override
    public void close() {
        runs.forEach(run -> run.events.close());
    }
}
