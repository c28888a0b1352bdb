package io.basin.cli;

import io.basin.compare.Monitor;
import io.basin.data.Progress;
import io.basin.train.Trainer;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Bars on a terminal, a plain line an epoch elsewhere; on stderr, so that stdout holds results only. */
final class Bars implements Monitor {
    @SuppressWarnings("SystemConsoleNull") // JDK 22 to 24 have a console for pipes too: bars there, not wrong figures
    private final boolean terminal = System.console() != null && !"dumb".equals(System.getenv("TERM"));

    @Override
    public Run run(String label, int steps, int batch, int done) {
        ProgressBar bar = !terminal
                ? null
                : bar(label, steps, "steps").startsFrom(done, Duration.ZERO).build();
        return new Run() {
            private int last = done;

            @Override
            public void step(int step) {
                if (bar != null) bar.stepTo(step);
            }

            @Override
            public void epoch(Trainer.Epoch e, double loss, double accuracy) {
                String figures = String.format(
                        Locale.ROOT,
                        "loss %.3f, acc %.2f%%, val %.3f, %.2f%%",
                        e.loss(),
                        100 * e.accuracy(),
                        loss,
                        100 * accuracy);
                double rate = batch * (e.step() - last) / Math.max(1e-9, e.seconds());
                last = e.step();
                if (bar != null) bar.setExtraMessage(" " + figures);
                else epochLine(label, e, figures, rate);
            }

            @Override
            public void close() {
                if (bar != null) bar.close();
            }
        };
    }

    private static void epochLine(String label, Trainer.Epoch e, String figures, double rate) {
        System.err.printf(
                Locale.ROOT, "%s: epoch %.2f, lr %.4f, %s, %.0f images/s%n", label, e.epoch(), e.lr(), figures, rate);
    }

    private static ProgressBarBuilder bar(String task, long total, String unit) {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setStyle(Terminal.drawsBlocks() ? ProgressBarStyle.COLORFUL_UNICODE_BLOCK : ProgressBarStyle.ASCII)
                .setUnit(" " + unit, 1)
                .showSpeed()
                .setUpdateIntervalMillis(500);
    }

    /** For where there is no terminal to draw on. */
    static Progress.Counter lines(String task, long total, String unit, Duration between) {
        long[] doneAndTold = {0, System.nanoTime()};
        return units -> {
            doneAndTold[0] += units;
            if (System.nanoTime() - doneAndTold[1] < between.toNanos()) return;
            doneAndTold[1] = System.nanoTime();
            System.err.println(task + ": " + doneAndTold[0] + (total < 0 ? " " : " of " + total + " ") + unit);
        };
    }

    @Override
    public Progress progress() {
        return (task, total, unit) -> {
            if (!terminal) {
                System.err.println(task);
                return lines(task, total, unit, Duration.ofMinutes(1));
            }
            ProgressBar bar = bar(task, total, unit).build();
            return new Progress.Counter() {
                @Override
                public void step(long units) {
                    bar.stepBy(units);
                }

                @Override
                public void close() {
                    bar.close();
                }
            };
        };
    }
}
