package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.io.Sha256;
import io.basin.text.Format;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses cuDNN's algorithm for each convolution: the fastest deterministic one, timed here under the layer's own descriptors,
 * and so in its own arithmetic.
 *
 * <p>Algorithms differ in their last bits and a clock differs from run to run, so choices are kept on disk by device, driver and
 * cuDNN's version: a run that is resumed, or repeated on this machine, computes the same bits.
 */
final class Algorithms {
    private static final Logger LOG = LoggerFactory.getLogger(Algorithms.class);
    /** In each direction deterministic and able to do everything; used, and kept, where there is no room to try any. */
    private static final int UNTRIED = 1;

    /** The largest workspace where others take less: a larger one is not worth the batch size it costs. */
    private static final long MOST_WORKSPACE = 256L << 20;

    /** The algorithm that runs in the end. */
    record Choice(int algorithm, long workspace) {}

    /**
     * A choice.
     *
     * @param milliseconds 0 where there was none to compare
     * @param other of the fastest in the other layout, infinite where there was none
     */
    private record Kept(int algorithm, double milliseconds, double other) {
        static Kept of(String words) {
            String[] each = words.split(" ");
            return new Kept(Integer.parseInt(each[0]), Double.parseDouble(each[1]), Double.parseDouble(each[2]));
        }

        @Override
        public String toString() {
            return algorithm + " " + milliseconds + " " + other;
        }
    }

    /**
     * One direction of one layer. Its algorithms are cuDNN's on things as they lie, then the same on copies with channels first.
     *
     * @param key names call, shapes and precision
     * @param numbers how many algorithms cuDNN numbers
     * @param random bits of those that are not deterministic
     * @param workspace bytes that an algorithm takes, below 0 where it does not do this problem
     * @param times milliseconds of each, infinite for one that fails; null where there is no memory to try them in
     */
    record Problem(
            String key,
            int numbers,
            int random,
            IntToLongFunction workspace,
            Function<List<Choice>, double @Nullable []> times) {
        private boolean copies(int algorithm) {
            return algorithm >= numbers;
        }

        private boolean isDeterministic(int algorithm) {
            return (random >> algorithm % numbers & 1) == 0;
        }

        /** For people. */
        private String text(Kept kept, long workspace) {
            boolean copies = copies(kept.algorithm);
            String text =
                    key + ": algorithm " + kept.algorithm % numbers + (copies ? " on copies with channels first" : "");
            text += kept.milliseconds == 0 ? ", nothing to compare it with" : Format.of(", %.4f ms", kept.milliseconds);
            if (kept.milliseconds > 0 && kept.other < Double.POSITIVE_INFINITY)
                text += Format.of(copies ? " (with channels last %.4f ms)" : " (on copies %.4f ms)", kept.other);
            text += Format.of(", workspace %.1f MiB", workspace / 1048576.0);
            return isDeterministic(kept.algorithm) ? text : text + ", NOT deterministic";
        }
    }

    private final Path file;
    private final Map<String, Kept> known = new TreeMap<>();
    /** The choices so far, for people. */
    private final Map<String, String> chosen = new LinkedHashMap<>();

    /** @param versions of what the choice depends on: driver and cuDNN */
    Algorithms(String device, String versions) {
        String name = (device + " " + versions).replaceAll("[^A-Za-z0-9.]+", "-");
        file = Cache.folder("algorithms").resolve(name + ".txt");
        read();
    }

    Choice choose(Problem problem) {
        Kept kept = known.get(problem.key);
        if (kept != null) {
            long workspace = problem.workspace.applyAsLong(kept.algorithm);
            if (workspace >= 0 && serves(problem, kept)) return chosen(problem, kept, workspace);
            LOG.info("{}: the algorithm kept in {} is refused; trying anew", problem.key, file);
        }
        List<Choice> able = able(problem);
        double[] times = able.size() == 1 ? new double[1] : problem.times.apply(able);
        if (times == null) {
            LOG.info("{}: no memory to try algorithms in; number {} is kept in {}", problem.key, UNTRIED, file);
            times = new double[able.size()];
        }
        int best = 0;
        double[] fastest = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY}; // of each layout
        for (int i = 0; i < times.length; i++) {
            if (times[i] < times[best]) best = i;
            int layout = able.get(i).algorithm() / problem.numbers;
            fastest[layout] = Math.min(fastest[layout], times[i]);
        }
        if (Double.isInfinite(times[best])) throw none(problem);
        Choice choice = able.get(best);
        double other = fastest[problem.copies(choice.algorithm()) ? 0 : 1];
        read();
        Kept made = new Kept(choice.algorithm(), times[best], other);
        known.put(problem.key, made);
        write();
        return chosen(problem, made, choice.workspace());
    }

    /** A kept algorithm that is not deterministic is used where none is. */
    private static boolean serves(Problem problem, Kept kept) {
        return problem.isDeterministic(kept.algorithm)
                || able(problem).stream().anyMatch(c -> c.algorithm() == kept.algorithm);
    }

    private Choice chosen(Problem problem, Kept kept, long workspace) {
        chosen.put(problem.key, problem.text(kept, workspace));
        return new Choice(kept.algorithm, workspace);
    }

    /** A line for each choice so far. */
    List<String> chosen() {
        return List.copyOf(chosen.values());
    }

    /**
     * Those that do the layer: the deterministic ones, others only where there are none; of these the ones within the allowed
     * workspace, or where a large batch's copies leave none, the one that takes least.
     */
    private static List<Choice> able(Problem problem) {
        List<Choice> able = new ArrayList<>();
        for (int algorithm = 0; algorithm < 2 * problem.numbers; algorithm++) {
            long workspace = problem.workspace.applyAsLong(algorithm);
            if (workspace >= 0) able.add(algorithm == UNTRIED ? 0 : able.size(), new Choice(algorithm, workspace));
        }
        if (able.isEmpty()) throw none(problem);
        List<Choice> deterministic = able.stream()
                .filter(c -> problem.isDeterministic(c.algorithm()))
                .toList();
        if (deterministic.isEmpty())
            LOG.warn("{}: no algorithm is deterministic; runs will differ in their last bits", problem.key);
        else able = deterministic;
        List<Choice> small =
                able.stream().filter(c -> c.workspace() <= MOST_WORKSPACE).toList();
        return small.isEmpty() ? List.of(Collections.min(able, Comparator.comparingLong(Choice::workspace))) : small;
    }

    private static DeviceException none(Problem problem) {
        return new DeviceException("cuDNN has no algorithm for " + problem.key);
    }

    private void read() {
        try {
            if (!Files.exists(file)) return;
            String text = Files.readString(file);
            int end = text.indexOf('\n') + 1;
            String kept = text.substring(end);
            // Another number is another algorithm, and so other bits.
            if (!text.substring(0, end).equals(seal(kept))) throw new IOException("its SHA-256 is another");
            for (String line : kept.lines().toList()) {
                int at = line.lastIndexOf('=');
                known.put(line.substring(0, at), Kept.of(line.substring(at + 1)));
            }
        } catch (IOException | RuntimeException e) {
            LOG.info("{} cannot be read ({}); searching anew", file, Reason.of(e));
        }
    }

    private static String seal(String text) {
        return "sha256 " + Sha256.of(text) + "\n";
    }

    private void write() {
        String text = known.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue() + "\n")
                .collect(Collectors.joining());
        try {
            AtomicFile.write(file, seal(text) + text);
        } catch (UncheckedIOException e) {
            LOG.info("{}; algorithms are searched anew each time", e.getMessage());
        }
    }
}
