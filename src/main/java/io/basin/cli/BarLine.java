package io.basin.cli;

import io.basin.text.Format;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressState;

/**
 * One line for a task going by, without colours: what it is, how far, how long it takes and how fast it is, and its figures. In a
 * narrow terminal the least needed is left out first: the rate, then the time spent, then the total, then what the figures begin with.
 *
 * @param total what is left of everything, beside this task; empty where there is nothing else
 */
record BarLine(boolean blocks, String unit, Supplier<String> total) implements ProgressBarRenderer {
    private static final int SHORTEST = 10;
    private static final int LONGEST = 40;

    @Override
    public String render(ProgressState state, int width) {
        double done = state.getMax() <= 0 ? 0 : Math.min(1, (double) state.getCurrent() / state.getMax());
        Instant began = state.getStartInstant();
        Duration spent = began == null ? Duration.ZERO : Duration.between(began, Instant.now());
        return line(
                state.getTaskName(),
                done,
                spent.toMillis() / 1000.0,
                state.getCurrent() - state.getStart(),
                state.getMax() - state.getCurrent(),
                state.getExtraMessage().strip(),
                width);
    }

    /**
     * @param seconds spent on {@code units}
     * @param left units
     */
    String line(String task, double done, double seconds, long units, long left, String figures, int width) {
        String head = Format.of("%s %3.0f%% ", task, Math.floor(100 * done));
        double each = units > 0 ? seconds / units : 0;
        String remaining = left <= 0 ? time(seconds) : units > 0 ? time(each * left) + " left" : "";
        String rate = each > 0 && seconds > 1 ? Format.of("%.1f %s/s", 1 / each, unit) : "";
        String shorter = figures.replaceFirst("^.*, (?=val )", "");
        for (List<String> tail : List.of(
                List.of(remaining, rate, figures, total.get()),
                List.of(remaining, figures, total.get()),
                List.of(remaining, shorter, total.get()),
                List.of(remaining, shorter),
                List.of(shorter),
                List.<String>of())) {
            String text =
                    String.join(", ", tail.stream().filter(t -> !t.isEmpty()).toList());
            int room = width - head.length() - text.length() - 4;
            if (room >= SHORTEST || tail.isEmpty()) return head + bar(done, room) + (text.isEmpty() ? "" : " " + text);
        }
        throw new IllegalStateException();
    }

    private String bar(double done, int room) {
        int length = Math.min(room, LONGEST);
        if (length < 3) return "";
        int full = (int) (done * length);
        return "|" + (blocks ? "\u2588" : "#").repeat(full) + " ".repeat(length - full) + "|";
    }

    /** {@code 12 s}, {@code 3:05}, {@code 2 h 10 min}. */
    static String time(double seconds) {
        long s = Math.round(seconds);
        if (s < 60) return s + " s";
        if (s < 3600) return Format.of("%d:%02d", s / 60, s % 60);
        return Format.of("%d h %02d min", s / 3600, s / 60 % 60);
    }
}
