package io.basin.cli;

import io.basin.compare.Monitor;
import io.basin.data.Progress;
import io.basin.text.Format;
import io.basin.train.Trainer;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/** Bars on a terminal, a plain line an epoch elsewhere; on stderr, so that stdout holds results only. */
final class Bars implements Monitor {
    @SuppressWarnings("SystemConsoleNull") // JDK 22 to 24 have a console for pipes too: bars there, not wrong figures
    private final boolean terminal = System.console() != null && !"dumb".equals(System.getenv("TERM"));

    private final long start = System.nanoTime();
    private int runs;
    private int begun;
    private long all;
    /** Steps that checkpoints had already. */
    private long behind;

    private volatile long trained;

    /** How many runs there will be, and steps of all of them, so that what is left of everything can be said. */
    void expect(int allRuns, long steps) {
        runs = allRuns;
        all = steps;
    }

    private String left() {
        long done = trained;
        if (runs < 2 || done == 0) return "";
        double seconds = (System.nanoTime() - start) * 1e-9;
        return "all: " + BarLine.time(seconds / done * Math.max(0, all - behind - done)) + " left";
    }

    @Override
    public Run run(String label, int steps, int batch, int done) {
        String name = runs > 1 ? label + " (" + ++begun + "/" + runs + ")" : label;
        ProgressBar bar = !terminal
                ? null
                : bar(name, steps, "steps").startsFrom(done, Duration.ZERO).build();
        behind += done;
        return new Run() {
            private int last = done;
            private int counted = done;

            @Override
            public void step(int step) {
                trained += step - counted;
                counted = step;
                if (bar != null) bar.stepTo(step);
            }

            @Override
            public void epoch(Trainer.Epoch e, double loss, double accuracy) {
                String figures = Format.of("loss %.3f, acc %.2f%%", e.loss(), 100 * e.accuracy());
                if (!Double.isNaN(loss)) {
                    figures += Format.of(", val %.3f, %.2f%%", loss, 100 * accuracy);
                }
                double rate = batch * (e.step() - last) / Math.max(1e-9, e.seconds());
                last = e.step();
                if (bar != null) bar.setExtraMessage(" " + figures);
                else epochLine(name, e, figures, rate);
            }

            @Override
            public void close() {
                if (bar != null) bar.close();
            }
        };
    }

    private static void epochLine(String label, Trainer.Epoch e, String figures, double rate) {
        System.err.println(
                Format.of("%s: epoch %.2f, lr %.4f, %s, %.0f images/s", label, e.epoch(), e.lr(), figures, rate));
    }

    private ProgressBarBuilder bar(String task, long total, String unit) {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setRenderer(new BarLine(Terminal.drawsBlocks(), unit, this::left))
                .setConsumer(new Line())
                .setUpdateIntervalMillis(500);
    }

    /** Finds the width by itself: the library would by JLine, which takes SIGINT from Java, and so what an interrupted run says. */
    private static final class Line extends ConsoleProgressBarConsumer {
        Line() {
            super(System.err);
        }

        @Override
        public int getMaxRenderedLength() {
            return Terminal.width() - 1;
        }
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
                Progress.Counter lines = lines(task, total, unit, Duration.ofMinutes(1));
                return new Estimate(task, total, unit, System::nanoTime, System.err::println, lines);
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
