package io.basin.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One way to run libtorch, as a choice for each of the dimensions below. A peer that is beaten only because its allocator
 * returned memory to the kernel after every step, or its OpenMP threads spun against its BLAS threads, would prove nothing;
 * so all of them are tried.
 */
record PeerConfig(Map<String, String> choices) {
    private static final Path PEERS = Path.of("target", "peers");
    private static final Path MKL = PEERS.resolve(Path.of("mkl", "org", "bytedeco", "mkl", "linux-x86_64"));
    private static final String SHIPPED = "shipped";
    private static final String KEEP = "17179869184";
    private static final Path JEMALLOC =
            Path.of(System.getProperty("basin.jemalloc", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"));

    PeerConfig {
        choices = Map.copyOf(new TreeMap<>(choices));
    }

    /** Dimensions in the order of tuning, with the options this machine has; the first of each is where tuning starts. */
    static Map<String, List<String>> dimensions(Contest contest) {
        Map<String, List<String>> all = new LinkedHashMap<>();
        all.put("wait", contest.net().equals("mlp") ? List.of("passive", "active") : List.of("active", "passive"));
        all.put("malloc", allocators());
        if (contest.bytes() == 0) {
            all.put("blas", blas());
        }
        if (contest.bytes() == 0 && !contest.net().equals("mlp")) {
            all.put("channelsLast", List.of("true", "false"));
        }
        if (!contest.isAverage() && !contest.isArenas()) all.put("route", routes(contest));
        all.put("libtorch", versions());
        return all;
    }

    static PeerConfig first(Contest contest) {
        return new PeerConfig(dimensions(contest).entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().get(0))));
    }

    PeerConfig with(String dimension, String choice) {
        Map<String, String> changed = new TreeMap<>(choices);
        changed.put(dimension, choice);
        return new PeerConfig(changed);
    }

    static PeerConfig parse(String text) {
        return new PeerConfig(Arrays.stream(text.split(" "))
                .map(pair -> pair.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1])));
    }

    @Override
    public String toString() {
        return new TreeMap<>(choices)
                .entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(" "));
    }

    /** Parameters of the JMH benchmark: the two choices that are not made by the environment. */
    List<String> parameters() {
        return Stream.of("channelsLast", "route")
                .filter(choices::containsKey)
                .map(name -> name + "=" + choices.get(name))
                .toList();
    }

    /** The given class path with another libtorch in the place of the one the project tests with. */
    String classPath(String original) {
        String version = choices.get("libtorch");
        if (version.equals(SHIPPED)) {
            return original;
        }
        List<String> path = new ArrayList<>(files(PEERS.resolve(version)));
        Arrays.stream(original.split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("pytorch-"))
                .forEach(path::add);
        return String.join(File.pathSeparator, path);
    }

    Map<String, String> environment(Contest contest) {
        Map<String, String> set = new TreeMap<>();
        List<String> preload = new ArrayList<>();
        if (choices.get("wait").equals("passive")) {
            set.put("OMP_WAIT_POLICY", "passive");
        }
        set.put("OPENBLAS_NUM_THREADS", contest.net().equals("mlp") ? "" + Nets.threads() : "1");
        allocator(set, preload);
        blas(set, preload);
        if (!preload.isEmpty()) {
            set.put("LD_PRELOAD", String.join(":", preload));
        }
        return set;
    }

    /** glibc trims and maps anew at every step unless told to keep; one arena, because only that one can grow freely. */
    private void allocator(Map<String, String> set, List<String> preload) {
        String choice = choices.get("malloc");
        if (choice.equals("jemalloc")) {
            preload.add(JEMALLOC.toString());
            set.put("MALLOC_CONF", "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always");
            return;
        }
        set.put("MALLOC_TRIM_THRESHOLD_", KEEP);
        set.put("MALLOC_MMAP_THRESHOLD_", KEEP);
        if (choice.startsWith("one-arena")) {
            set.put("MALLOC_ARENA_MAX", "1");
            set.put("MALLOC_MMAP_MAX_", "0");
            set.put("MALLOC_TOP_PAD_", "268435456");
        }
        if (choice.endsWith("huge-pages")) {
            set.put("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
        }
    }

    private void blas(Map<String, String> set, List<String> preload) {
        String choice = choices.getOrDefault("blas", "openblas");
        if (choice.equals("openblas-skylakex")) {
            set.put("OPENBLAS_CORETYPE", "SKYLAKEX");
        } else if (choice.startsWith("mkl")) {
            Path mkl = MKL.toAbsolutePath();
            boolean intel = choice.equals("mkl-iomp5");
            if (intel) {
                preload.add(mkl.resolve("libiomp5.so").toString());
            }
            preload.add(mkl.resolve("libmkl_rt.so.2").toString());
            set.put("LD_LIBRARY_PATH", mkl.toString());
            set.put("MKL_THREADING_LAYER", intel ? "INTEL" : "GNU");
            set.put("MKL_INTERFACE_LAYER", "LP64");
        }
    }

    /** The update alone is compared with each by itself: what users call, and the fastest there is. */
    private static List<String> routes(Contest contest) {
        return switch (contest.name()) {
            case "step" -> List.of("MODULE");
            case "step-fused" -> List.of("FUSED");
            default -> List.of("FUSED", "MODULE");
        };
    }

    private static List<String> allocators() {
        List<String> all = new ArrayList<>(List.of("one-arena-huge-pages", "one-arena", "glibc"));
        if (Files.exists(JEMALLOC)) {
            all.add("jemalloc");
        }
        return all;
    }

    private static List<String> blas() {
        List<String> all = new ArrayList<>();
        if (Machine.hasAvx512()) {
            all.add("openblas-skylakex");
        }
        all.add("openblas");
        if (Files.exists(MKL.resolve("libmkl_rt.so.2"))) {
            all.add("mkl-gomp");
            all.add("mkl-iomp5");
        }
        return all;
    }

    private static List<String> versions() {
        List<String> all = new ArrayList<>(List.of(SHIPPED));
        if (Files.isDirectory(PEERS)) {
            files(PEERS).stream()
                    .map(path -> Path.of(path).getFileName().toString())
                    .filter(name -> name.startsWith("pytorch-"))
                    .forEach(all::add);
        }
        return all;
    }

    private static List<String> files(Path directory) {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(Path::toString).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
