package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.text.Format;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of cuDNN's algorithms each convolution uses: the fastest deterministic one, timed here under the layer's own descriptors,
 * and so in its own arithmetic.
 *
 * <p>Algorithms differ in their last bits and a clock differs from run to run, so choices are kept on disk by device, driver and
 * cuDNN's version: a run that is resumed, or repeated on this machine, computes the same bits.
 */
final class Algorithms {
    private static final Logger LOG = LoggerFactory.getLogger(Algorithms.class);
    /** In each direction deterministic and able to do everything; taken, and kept, where there is no room to try any. */
    private static final int UNTRIED = 1;

    /** More than this no algorithm may ask for: what it would gain is not worth the batch it costs. */
    private static final long MOST_WORKSPACE = 256L << 20;

    /** What runs in the end. */
    record Choice(int algorithm, long workspace) {}

    /** What was chosen, and the time it took; 0 where there was none to compare. */
    private record Kept(int algorithm, double milliseconds) {}

    /** One direction of one layer. */
    interface Problem {
        /** Names call, shapes and precision. */
        String key();

        /** How many algorithms cuDNN numbers. */
        int algorithms();

        /** Of an algorithm, for people. */
        String name(int algorithm);

        boolean isDeterministic(int algorithm);

        /** Bytes that an algorithm takes; below 0 where it does not do this problem. */
        long workspace(int algorithm);

        /** Milliseconds of each, infinite for one that fails; null where there is no memory to try them in. */
        double @Nullable [] times(List<Choice> candidates);
    }

    private final Path file;
    private final Map<String, Kept> known = new TreeMap<>();
    /** What was asked for so far, for people. */
    private final Map<String, String> chosen = new LinkedHashMap<>();

    /** @param versions of what the choice depends on: driver and cuDNN */
    Algorithms(String device, String versions) {
        String name = (device + " " + versions).replaceAll("[^A-Za-z0-9.]+", "-");
        file = Cache.folder("algorithms").resolve(name + ".txt");
        read();
    }

    Choice choose(Problem problem) {
        Kept kept = known.get(problem.key());
        if (kept != null) {
            long workspace = problem.workspace(kept.algorithm());
            if (workspace >= 0) return chosen(problem, kept, workspace);
            LOG.info("{}: the algorithm kept in {} is refused; trying anew", problem.key(), file);
        }
        List<Choice> able = able(problem);
        double[] times = able.size() == 1 ? new double[1] : problem.times(able);
        if (times == null) {
            LOG.info("{}: no memory to try algorithms in; number {} is kept in {}", problem.key(), UNTRIED, file);
            times = new double[able.size()];
        }
        int best = 0;
        for (int i = 1; i < times.length; i++) if (times[i] < times[best]) best = i;
        Choice choice = able.get(best);
        if (Double.isInfinite(times[best])) throw none(problem);
        read();
        known.put(problem.key(), new Kept(choice.algorithm(), times[best]));
        write();
        return chosen(problem, new Kept(choice.algorithm(), times[best]), choice.workspace());
    }

    private Choice chosen(Problem problem, Kept kept, long workspace) {
        String time =
                kept.milliseconds() == 0 ? "nothing to compare it with" : Format.of("%.4f ms", kept.milliseconds());
        chosen.put(
                problem.key(),
                Format.of(
                        "%s: algorithm %s, %s, workspace %.1f MiB%s",
                        problem.key(),
                        problem.name(kept.algorithm()),
                        time,
                        workspace / 1048576.0,
                        problem.isDeterministic(kept.algorithm()) ? "" : ", NOT deterministic"));
        return new Choice(kept.algorithm(), workspace);
    }

    /** A line for each choice so far. */
    List<String> chosen() {
        return List.copyOf(chosen.values());
    }

    /** Those that do the layer within the allowed workspace: the deterministic ones, others only where there are none. */
    private static List<Choice> able(Problem problem) {
        List<Choice> able = new ArrayList<>();
        for (int algorithm = 0; algorithm < problem.algorithms(); algorithm++) {
            long workspace = problem.workspace(algorithm);
            if (workspace < 0 || workspace > MOST_WORKSPACE) continue;
            able.add(algorithm == UNTRIED ? 0 : able.size(), new Choice(algorithm, workspace));
        }
        if (able.isEmpty()) throw none(problem);
        List<Choice> deterministic = able.stream()
                .filter(c -> problem.isDeterministic(c.algorithm()))
                .toList();
        if (!deterministic.isEmpty()) return deterministic;
        LOG.warn("{}: no algorithm is deterministic; runs will differ in their last bits", problem.key());
        return able;
    }

    private static DeviceException none(Problem problem) {
        return new DeviceException("cuDNN has no algorithm for " + problem.key());
    }

    private void read() {
        try {
            if (!Files.exists(file)) return;
            for (String line : Files.readAllLines(file)) {
                int at = line.lastIndexOf('=');
                String[] words = line.substring(at + 1).split(" ");
                known.put(line.substring(0, at), new Kept(Integer.parseInt(words[0]), Double.parseDouble(words[1])));
            }
        } catch (IOException | RuntimeException e) {
            LOG.info("{} cannot be read ({}); searching anew", file, Reason.of(e));
        }
    }

    private void write() {
        String text = known.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue().algorithm() + " "
                        + e.getValue().milliseconds() + "\n")
                .collect(Collectors.joining());
        try {
            AtomicFile.write(file, text);
        } catch (UncheckedIOException e) {
            LOG.info("{}; algorithms are searched anew each time", e.getMessage());
        }
    }
}
