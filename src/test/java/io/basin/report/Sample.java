package io.basin.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A comparison of the size of the default one: six methods, ten epochs of 429 steps, and everything that a report can show. */
final class Sample {
    private static final List<String> METHODS = List.of("sgd", "swa", "ema", "snapshot", "fge", "independent");
    private static final int EPOCHS = 10;
    private static final int STEPS = 429;

    private Sample() {}

    static Summary summary(int seeds) {
        List<Summary.Row> rows = new ArrayList<>();
        List<Summary.Curve> curves = new ArrayList<>();
        List<Summary.Plotted> plans = new ArrayList<>();
        for (String method : METHODS) {
            int m = METHODS.indexOf(method);
            rows.add(new Summary.Row(
                    method,
                    m > 2 ? "mean" : "",
                    EPOCHS,
                    m == 1 ? 3 : 0,
                    m > 2 ? 4 : 1,
                    IntStream.range(0, seeds)
                            .mapToObj(s -> new Summary.Score(s, 0.9 + 0.001 * (m + s * m % 3), 0.3, 0.02, 0.28))
                            .toList()));
            for (int s = 0; s < seeds; s++) curves.add(new Summary.Curve(method, s, points(m)));
            plans.add(plan(method, m));
        }
        return new Summary("fashion-mnist, mlp", Map.of("data", "fashion-mnist"), rows, curves, plans, evidence(seeds));
    }

    private static List<Summary.Point> points(int m) {
        return IntStream.rangeClosed(1, EPOCHS)
                .mapToObj(e -> {
                    double accuracy = 0.8 + 0.01 * e + 0.001 * m;
                    Double average = m == 1 || m == 2 ? accuracy + 0.01 : null;
                    return new Summary.Point(e, 1.0 / e, accuracy, 1.1 / e, accuracy, average, average);
                })
                .toList();
    }

    private static Summary.Plotted plan(String method, int m) {
        double[] lr = new double[EPOCHS * STEPS];
        Arrays.setAll(lr, i -> switch (method) {
            case "snapshot" -> 0.05 * (1 + Math.cos(Math.PI * (i % (2 * STEPS)) / (2.0 * STEPS)));
            case "fge" -> i < 8 * STEPS ? 0.05 : 0.01 + 0.01 * Math.abs(i % STEPS - STEPS / 2) / STEPS;
            default -> 0.05 * Math.min(1, 2 - 1.99 * i / lr.length);
        });
        double[] alpha = new double[lr.length];
        if (method.equals("swa"))
            for (int i = lr.length / 2; i < lr.length; i += 43) alpha[i] = 43.0 / (i - lr.length / 2 + 43);
        if (method.equals("ema")) Arrays.fill(alpha, 0.001);
        int[] collections = m == 0
                ? new int[0]
                : IntStream.range(0, 20)
                        .map(i -> lr.length - 1 - 43 * i)
                        .sorted()
                        .toArray();
        return new Summary.Plotted(method, lr, alpha, collections, STEPS);
    }

    private static Extras evidence(int seeds) {
        List<Extras.Reliability> reliability = new ArrayList<>();
        List<Extras.Corrupted> corrupted = new ArrayList<>();
        for (String method : METHODS) {
            List<Extras.Bin> bins = IntStream.range(1, 15)
                    .mapToObj(b -> new Extras.Bin(100, 6 * b, 6.5 * b))
                    .toList();
            reliability.add(new Extras.Reliability(method, "", bins));
            for (int s = 0; s < seeds; s++) {
                corrupted.add(new Extras.Corrupted(method, s, "none", 0, 0.9, 0.3, 0.01));
                for (int k = 1; k <= 5; k++) {
                    corrupted.add(new Extras.Corrupted(method, s, "blur", k, 0.9 - 0.1 * k - 0.001 * s, 0.3, 0.01));
                }
            }
        }
        List<Extras.Growth> growth = List.of(new Extras.Growth("fge", 1, List.of(0.88, 0.89, 0.9, 0.901)));
        return new Extras(
                List.of(),
                reliability,
                growth,
                corrupted,
                List.of(),
                List.of(Extras.Check.of("sums", "swa", true, "exact"), Extras.Check.notCovered("a", "b", "c")));
    }

    static void comparison(Path file) {
        Summary summary = summary(3);
        Made made =
                new Made(Map.of("command", "basin compare fashion-mnist", "date", "a day"), Map.of("--epochs", "10"));
        HtmlReport.write(file, summary, new ResultTable(summary), made);
    }
}
