package io.basin.cuda;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of cuDNN's algorithms each convolution uses: the fastest deterministic one that the device was seen to run.
 *
 * <p>Algorithms differ in their last bits and a search's clock differs from run to run, so choices are kept on disk: a run that
 * is resumed, or repeated on this machine, computes the same bits.
 */
final class Algorithms {
    private static final Logger LOG = LoggerFactory.getLogger(Algorithms.class);
    private static final int MOST = 10;
    /** In each direction deterministic and able to do everything; taken, and kept, where there is no room to try any. */
    private static final int UNTRIED = 1;

    /**
     * One algorithm as the search saw it.
     *
     * @param asked whether it was tried in the arithmetic that the layer asked for: a search may add others
     */
    record Candidate(int algorithm, int status, boolean deterministic, boolean asked) {}

    /** What runs in the end. */
    record Choice(int algorithm, long workspace) {}

    /** One direction of one layer. */
    interface Problem {
        /** Names call, shapes and precision. */
        String key();

        /** The search itself, fastest first; null where it cannot be made. */
        List<Candidate> search(int most);

        /** Bytes of workspace; below 0 where the algorithm does not do this problem. */
        long workspace(int algorithm);
    }

    private final Path file;
    private final Map<String, Integer> known = new TreeMap<>();

    Algorithms(String device, String cudnn) {
        String name = (device + " cudnn " + cudnn).replaceAll("[^A-Za-z0-9.]+", "-");
        file = Cache.folder("algorithms").resolve(name + ".txt");
        read();
    }

    Choice choose(Problem problem) {
        Integer kept = known.get(problem.key());
        if (kept != null) {
            long workspace = problem.workspace(kept);
            if (workspace >= 0) return new Choice(kept, workspace);
            LOG.info("{}: the algorithm kept in {} is refused; searching anew", problem.key(), file);
        }
        List<Candidate> found = problem.search(MOST);
        if (found == null) {
            LOG.info("{}: no memory to try algorithms in; number {} is kept in {}", problem.key(), UNTRIED, file);
        }
        Choice choice = best(problem, found == null ? List.of(new Candidate(UNTRIED, 0, true, true)) : found);
        read();
        known.put(problem.key(), choice.algorithm());
        write();
        return choice;
    }

    /**
     * The fastest of the best kind for which cuDNN tells a workspace: it refuses what it timed in other arithmetic and cannot do
     * in the layer's, and JCuda passes on which arithmetic that was for filter gradients only.
     */
    private static Choice best(Problem problem, List<Candidate> found) {
        List<Candidate> able = found.stream()
                .filter(c -> c.status() == 0)
                .sorted(Comparator.comparing(Candidate::deterministic)
                        .thenComparing(Candidate::asked)
                        .reversed())
                .toList();
        for (Candidate c : able) {
            long workspace = problem.workspace(c.algorithm());
            if (workspace < 0) continue;
            if (!c.deterministic()) {
                LOG.warn("{}: no algorithm is deterministic; runs will differ in their last bits", problem.key());
            }
            return new Choice(c.algorithm(), workspace);
        }
        throw new DeviceException("cuDNN has no algorithm for " + problem.key() + " in float32, channels last");
    }

    private void read() {
        try {
            if (!Files.exists(file)) return;
            for (String line : Files.readAllLines(file)) {
                int at = line.lastIndexOf('=');
                known.put(line.substring(0, at), Integer.parseInt(line.substring(at + 1)));
            }
        } catch (IOException | RuntimeException e) {
            LOG.info("{} cannot be read ({}); searching anew", file, Reason.of(e));
        }
    }

    private void write() {
        String text = known.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue() + "\n")
                .collect(Collectors.joining());
        try {
            AtomicFile.write(file, text);
        } catch (UncheckedIOException e) {
            LOG.info("{}; algorithms are searched anew each time", e.getMessage());
        }
    }
}
