package io.basin.cuda;

import io.basin.device.AdamW;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What NVIDIA's assembler says about the kernels, from Turing to Blackwell; those left out share a register file with one that is here. */
public final class Ptxas {
    public static final List<Integer> ARCHITECTURES = List.of(75, 80, 90, 120);

    private static final Path KERNELS = Path.of("kernels");
    private static final Pattern KERNEL =
            Pattern.compile("extern \"C\" __global__ void (?:__launch_bounds__\\([^)]*\\)\\s*)?(\\w+)\\(");
    private static final Pattern COMPILED = Pattern.compile("Compiling entry function '(\\w+)' for 'sm_(\\d+)'"
            + ".*?(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads"
            + ".*?Used (\\d+) registers");

    /** One kernel on one architecture; stack and spills in bytes a thread. */
    public record Usage(String kernel, int architecture, int registers, int stack, int spills) {}

    private Ptxas() {}

    /** Where nvcc is, if it is. */
    public static Optional<Path> compiler() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, "nvcc"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    public static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.list(KERNELS)) {
            return files.filter(f -> f.toString().endsWith(".cu")).sorted().toList();
        }
    }

    /** The kernels that a source defines, in its order. */
    public static List<String> kernels(Path source) throws IOException {
        return KERNEL.matcher(Files.readString(source))
                .results()
                .map(m -> m.group(1))
                .toList();
    }

    /**
     * Compiles all sources for all architectures, as one text with each source in a namespace of its own: what the compiler
     * does before it comes to a source takes longer than most sources, and so it does that once for each architecture. Entry
     * points keep their names, since they are C's.
     */
    public static List<Usage> compile(Path nvcc) throws IOException, InterruptedException {
        Path out = Files.createTempFile("kernels", ".fatbin");
        Path all = Files.createTempFile("kernels", ".cu");
        try {
            Files.writeString(all, together());
            Process process = new ProcessBuilder(command(nvcc, all, out))
                    .redirectErrorStream(true)
                    .start();
            String log = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) throw new IOException("nvcc refuses the kernels:\n" + log);
            return usages(log);
        } finally {
            Files.deleteIfExists(out);
            Files.deleteIfExists(all);
        }
    }

    private static String together() throws IOException {
        StringBuilder text = new StringBuilder("#include \"basin.cuh\"\n");
        for (Path source : sources()) {
            String name = source.getFileName().toString();
            text.append("namespace ").append(name, 0, name.lastIndexOf('.')).append("_source {\n");
            text.append("#include \"").append(name).append("\"\n}\n");
        }
        return text.toString();
    }

    private static List<String> command(Path nvcc, Path source, Path out) {
        List<String> command = new ArrayList<>(List.of(nvcc.toString(), "-std=c++17", "-Werror", "all-warnings"));
        command.addAll(List.of("-Xptxas", "-v", "-fatbin", "-o", out.toString(), "-I" + KERNELS, source.toString()));
        command.addAll(List.of("-DBASIN_VALUE=tanhf(x)", "-DBASIN_SLOPE=1 - tanhf(x) * tanhf(x)"));
        command.addAll(List.of("-DBASIN_UPDATE=" + new AdamW(0.01).cuda(), "-DBASIN_MOMENTS=2", "-DBASIN_SCALARS=2"));
        for (int a : ARCHITECTURES) command.addAll(List.of("-gencode", "arch=compute_" + a + ",code=sm_" + a));
        return command;
    }

    static List<Usage> usages(String log) {
        List<Usage> usages = new ArrayList<>();
        Matcher m = COMPILED.matcher(log.replace('\n', ' '));
        while (m.find()) {
            int spills = number(m, 4) + number(m, 5);
            usages.add(new Usage(m.group(1), number(m, 2), number(m, 6), number(m, 3), spills));
        }
        return usages;
    }

    private static int number(Matcher m, int group) {
        return Integer.parseInt(m.group(group));
    }
}
