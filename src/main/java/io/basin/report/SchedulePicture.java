package io.basin.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Planned learning rates; drawn for a terminal. */
public final class SchedulePicture {
    private static final int WIDTH = 72;
    private static final int HEIGHT = 10;

    private SchedulePicture() {}

    /** One plot a method: the rate over epochs, and {@code ^} below where models are collected. */
    public static String text(List<Summary.Plotted> methods) {
        StringBuilder out = new StringBuilder();
        methods.forEach(m -> plot(out, m));
        return out.toString();
    }

    private static void plot(StringBuilder out, Summary.Plotted m) {
        double max = Arrays.stream(m.lr()).max().orElse(1);
        char[][] cells = new char[HEIGHT][WIDTH];
        for (char[] row : cells) Arrays.fill(row, ' ');
        int steps = m.lr().length;
        for (int x = 0; x < WIDTH; x++) {
            double lr = m.lr()[(int) ((long) x * steps / WIDTH)];
            cells[HEIGHT - 1 - (int) Math.round(lr / max * (HEIGHT - 1))][x] = '*';
        }
        char[] marks = new char[WIDTH];
        Arrays.fill(marks, ' ');
        for (int s : m.collections()) marks[(int) ((long) s * WIDTH / steps)] = '^';
        out.append(m.method()).append(", learning rate\n");
        for (int y = 0; y < HEIGHT; y++) {
            out.append(String.format(
                    Locale.ROOT,
                    "%8.4f |%s%n",
                    max * (HEIGHT - 1 - y) / (HEIGHT - 1),
                    new String(cells[y]).stripTrailing()));
        }
        out.append(" ".repeat(9)).append('+').append("-".repeat(WIDTH)).append('\n');
        String below = new String(marks).stripTrailing();
        if (!below.isEmpty()) out.append(" ".repeat(10)).append(below).append("  ^ collects\n");
        out.append(String.format(
                Locale.ROOT, "%10s0%" + (WIDTH - 1) + ".1f epochs%n%n", "", (double) steps / m.stepsPerEpoch()));
    }
}
