package io.basin.cli;

import io.basin.compare.Monitor;
import io.basin.data.Progress;
import io.basin.train.Trainer;
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
        return terminal ? new Bar(bar(label, steps, "steps"), done) : new Lines(label, batch, done);
    }

    private static String figures(Trainer.Epoch e, double loss, double accuracy) {
        return String.format(
                Locale.ROOT,
                "loss %.3f, acc %.2f%%, val %.3f, %.2f%%",
                e.loss(),
                100 * e.accuracy(),
                loss,
                100 * accuracy);
    }

    /** A run as a bar. */
    private static final class Bar implements Run {
        private final ProgressBar bar;

        Bar(ProgressBarBuilder builder, int done) {
            bar = builder.startsFrom(done, java.time.Duration.ZERO).build();
        }

        @Override
        public void step(int step) {
            bar.stepTo(step);
        }

        @Override
        public void epoch(Trainer.Epoch e, double loss, double accuracy) {
            bar.setExtraMessage(" " + figures(e, loss, accuracy));
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    /** A run as a line an epoch. */
    private static final class Lines implements Run {
        private final String label;
        private final int batch;
        private int last;

        Lines(String label, int batch, int done) {
            this.label = label;
            this.batch = batch;
            last = done;
        }

        @Override
        public void epoch(Trainer.Epoch e, double loss, double accuracy) {
            double rate = batch * (e.step() - last) / Math.max(1e-9, e.seconds());
            last = e.step();
            System.err.printf(
                    Locale.ROOT,
                    "%s: epoch %.2f, lr %.4f, %s, %.0f images/s%n",
                    label,
                    e.epoch(),
                    e.lr(),
                    figures(e, loss, accuracy),
                    rate);
        }
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

    @Override
    public Progress progress() {
        return (task, total, unit) -> {
            if (!terminal) {
                System.err.println(task);
                return steps -> {};
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
