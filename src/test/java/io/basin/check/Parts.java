package io.basin.check;

import io.basin.Jvm;
import io.basin.nn.Nets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The parts of the hardware check in their order.
 *
 * @param home folder of the data and of the PyTorch program
 * @param work folder that the comparison's run goes to
 * @param rehearsal sizes that an emulator can do in minutes; they measure nothing
 */
record Parts(Path home, Path work, boolean rehearsal) {
    static final List<String> PRECISIONS = List.of("strict", "fp32", "bf16");
    static final List<String> TIMED = List.of("mlp", "small-cnn", "preresnet20", "vgg16-bn", "wrn-28-10");

    /** By so much a rehearsal's limits are longer: an emulator compiles and computes more slowly than the sizes are cut. */
    private static final int SLOWER = 4;

    /** Kept for the comparison: the limits of all before it, of which each is for a slow card, leave nothing together. */
    private static final int KEPT = 120;

    private static final List<String> KERNELS = List.of(
            "cuda.StepKernelTest",
            "cuda.AverageKernelTest",
            "cuda.BatchKernelTest",
            "cuda.LossKernelTest",
            "cuda.NormKernelTest",
            "cuda.NormElementsTest",
            "cuda.PointwiseKernelTest",
            "cuda.EnsembleKernelTest",
            "cuda.PrecisionTest",
            "average.FusedStepTest",
            "average.CudaAveragerTest");
    private static final List<String> CONTRACTS = List.of(
            "device.OpContractTest",
            "device.BatchContractTest",
            "device.LossContractTest",
            "device.DropoutContractTest",
            "device.NormStatisticsTest",
            "device.ArenaContractTest",
            "device.MemoryContractTest",
            "device.PredictionSumContractTest",
            "device.UpdateRuleContractTest",
            "device.FloatDataContractTest");
    private static final List<String> STEPS =
            List.of("train.StepContractTest", "train.NetContractTest", "train.DevicesAgreeTest");

    List<Part> all() {
        return List.of(
                part("doctor", "doctor", 60, List.of(basin("doctor")), "^cuda +CUDA, .*, learns$", 1),
                part("tests", "kernel and contract tests", 140, tests(), "\\[ +[1-9]\\d* tests successful", 3),
                determinism(),
                reports("algorithms", "algorithms of the convolutions", 45),
                step(),
                reports("times", "time of each operation of a step", 45),
                speed(),
                part(
                        "pytorch",
                        "PyTorch on the same card, images/s",
                        170,
                        List.of(pytorch()),
                        "\"images_per_s\"",
                        3 * TIMED.size()),
                comparison());
    }

    private Part part(String name, String title, int seconds, List<List<String>> programs, String evidence, int times) {
        return new Part(
                name, title, rehearsal ? SLOWER * seconds : seconds, programs, Pattern.compile(evidence), times);
    }

    private static List<String> java(String... words) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx2g",
                "-Djava.awt.headless=true",
                "-cp",
                Jvm.classPath()));
        command.addAll(List.of(words));
        return command;
    }

    private static List<String> basin(String... words) {
        List<String> command = java("io.basin.cli.Main");
        command.addAll(List.of(words));
        return command;
    }

    private static List<String> measure(String what, Object... numbers) {
        List<String> command = java(Measure.class.getName(), what);
        for (Object number : numbers) command.add(number.toString());
        return command;
    }

    /** Three processes: an error that a GPU does not recover from ends all tests after it in the same one. */
    private List<List<String>> tests() {
        return List.of(tests(KERNELS), tests(CONTRACTS), tests(STEPS));
    }

    private List<String> tests(List<String> classes) {
        List<String> command = java("-Dgpu=real", "org.junit.platform.console.ConsoleLauncher", "execute");
        command.addAll(List.of("--disable-banner", "--details=summary", "--fail-if-no-tests"));
        List<String> run = rehearsal ? classes.subList(0, 1) : classes;
        run.forEach(c -> command.addAll(List.of("-c", "io.basin." + c)));
        return command;
    }

    private Part determinism() {
        List<List<String>> programs = new ArrayList<>();
        List<String> nets = rehearsal ? List.of("mlp", "small-cnn") : Nets.NAMES;
        for (String net : nets) programs.add(measure("determinism", net, rehearsal ? 4 : 128, rehearsal ? 2 : 20));
        int times = nets.size() * PRECISIONS.size();
        return part("determinism", "the same bits twice", 140, programs, "\"equal\":true", times);
    }

    /** What {@code basin doctor --NAME} prints for some nets. */
    private Part reports(String name, String title, int seconds) {
        List<List<String>> programs = new ArrayList<>();
        String batch = rehearsal ? "4" : "128";
        List<String> nets = rehearsal ? List.of("small-cnn") : List.of("small-cnn", "preresnet20", "wrn-28-10");
        for (String net : nets) {
            for (String precision : PRECISIONS) {
                if (name.equals("times") && precision.equals("strict")) continue;
                programs.add(basin(
                        "doctor",
                        "--device",
                        "cuda",
                        "--" + name,
                        net,
                        "--precision",
                        precision,
                        "--batch-size",
                        batch));
            }
        }
        String evidence = name.equals("times") ? "^the recorded step +[0-9.]+" : ", batches of \\d+, ";
        return part(name, title, seconds, programs, evidence, programs.size());
    }

    private Part step() {
        List<Integer> sizes = rehearsal ? List.of(10_000, 25_000, 50_000) : List.of(1_000_000, 25_000_000, 100_000_000);
        List<List<String>> programs =
                sizes.stream().map(n -> measure("step", n)).toList();
        return part("step", "step kernel against a copy", 30, programs, "\"gb_per_s\"", 2 * sizes.size());
    }

    private Part speed() {
        List<String> nets = rehearsal ? TIMED.subList(0, 2) : TIMED;
        List<List<String>> programs = nets.stream()
                .map(net -> measure("speed", net, rehearsal ? 4 : 128, rehearsal ? 0.01 : 1))
                .toList();
        int times = nets.size() * PRECISIONS.size();
        return part("speed", "training images/s", 90, programs, "\"images_per_s\"", times);
    }

    private List<String> pytorch() {
        return List.of("python3", home.resolve("pytorch.py").toString(), Part.LIMIT);
    }

    /** Weights stay out of the report's folder, which people send to each other. */
    private Path fresh() {
        int n = 1;
        while (Files.exists(work.resolve("compare-" + n))) n++;
        return work.resolve("compare-" + n);
    }

    private Part comparison() {
        List<String> command = basin(
                "compare",
                "fashion-mnist",
                "--device",
                "cuda",
                "--data-dir",
                home.resolve("data/fashion-mnist").toString(),
                "--out",
                fresh().toString(),
                "--methods",
                "sgd,swa,fge");
        command.addAll(
                rehearsal
                        ? List.of("--model", "mlp", "--epochs", "1", "--train-samples", "512", "--batch-size", "32")
                        : List.of("--model", "small-cnn", "--epochs", "10"));
        command.addAll(List.of("--validation", "1000", "--seeds", rehearsal ? "2" : "10"));
        String row = "^(sgd|swa|fge \\(mean\\)) +[0-9.]+ ";
        Part p = part("compare", (rehearsal ? 2 : 10) + " seeds of SGD, SWA and FGE", 720, List.of(command), row, 3);
        return new Part(p.name(), p.title(), p.seconds(), KEPT, p.programs(), p.evidence(), p.times());
    }
}
