package io.basin.cli;

import io.basin.io.Damage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** A small run whose files are harmed before it is resumed: it ends, or says which file is at fault. */
public final class RunDamage {
    /** What happens to a file. */
    public interface Harm {
        void to(Path file) throws IOException;
    }

    private final Path place;
    private final Path data;
    private final Path run;

    /** @param place existing and empty, for all that is written */
    public RunDamage(Path place) {
        this.place = place;
        data = Shell.grey(place.resolve("data"), 120, 30);
        run = place.resolve("run");
        Shell whole = compare("--out", run);
        if (whole.code() != 0) throw new IllegalStateException(whole.err());
    }

    private Shell compare(String flag, Path folder) {
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--methods", "sgd,swa"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 20, "--batch-size", 10, "--epochs", 4));
        args.addAll(List.of("--device", "cpu", "--threads", 1, "--keep", "all", flag, folder));
        return Shell.run(args.toArray());
    }

    /** Names of the run's files. */
    public List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(run)) {
            return all.filter(Files::isRegularFile)
                    .map(f -> run.relativize(f).toString())
                    .filter(f -> !f.startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    /**
     * Resumes a copy of the run after one file of it was harmed.
     *
     * @param amid whether the run had ended but for the last group's figures
     * @return empty, or how the command ended neither well nor with the file's name
     */
    public String harmed(String name, boolean amid, Harm harm) throws IOException {
        Path copy = copy();
        if (amid) Files.delete(copy.resolve("seed-1/swa/scores.json"));
        Path file = copy.resolve(name);
        if (Files.exists(file)) harm.to(file);
        Shell resumed = compare("--resume", copy);
        if (resumed.code() == 0) return "";
        String said = resumed.complaint();
        boolean named = said.contains(file.toString()) || said.contains(copy + " holds no config.json");
        boolean clear = named && !said.contains("unexpected") && !said.endsWith(": " + file);
        return clear ? "" : name + ": exit " + resumed.code() + ", " + said;
    }

    /** A random file, damaged at random. */
    public String harmed(SplittableRandom random) throws IOException {
        List<String> files = files();
        String name = files.get(random.nextInt(files.size()));
        return harmed(name, random.nextBoolean(), f -> {
            byte[] damaged = Damage.of(Files.readAllBytes(f), random);
            Files.delete(f);
            Files.write(f, damaged);
        });
    }

    private Path copy() throws IOException {
        Path copy = Files.createTempDirectory(place, "copy");
        try (Stream<Path> all = Files.walk(run)) {
            all.filter(Files::isRegularFile).forEach(f -> {
                try {
                    Path to = copy.resolve(run.relativize(f));
                    Files.createDirectories(to.getParent());
                    Files.copy(f, to);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return copy;
    }
}
