package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.methods.Method;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the papers' repositories have: their settings by name, their figures, ensembles grown from the newest, temperatures. */
class EntryPointsTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path fge;

    @BeforeAll
    static void trainFge() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        fge = shared.resolve("fge");
        train(fge, 40, "fge");
    }

    private static void train(Path out, int validation, String method) {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", validation, "--batch-size", 20, "--epochs", 4));
        args.addAll(List.of("--threads", 1, "--method", method, "--fge-start", 0.5, "--out", out));
        Shell done = Shell.run(args.toArray());
        assertEquals(0, done.code(), done.err());
    }

    @Test
    void fgesCyclesOfThePaperGiveEightModelsTheLastAtTheEnd() {
        Shell plan = Shell.run(
                "schedule", "fashion-mnist", "--epochs", 150, "--cycle", 4, "--fge-start", 0.8, "--methods", "fge");
        assertEquals(0, plan.code(), plan.err());
        assertTrue(plan.out().contains("8 models collected in each, the last at its end"), plan.out());
    }

    @Test
    void aRecipeSetsWhatThePapersSayAndAGivenFlagComesFirst() {
        Shell plan = Shell.run("schedule", "cifar100", "--recipe", "preresnet164", "--methods", "sgd,swa,fge,snapshot");
        assertEquals(0, plan.code(), plan.err());
        assertTrue(
                plan.err().contains("--recipe preresnet164 sets --model preresnet164 --epochs 150 --lr 0.1 --wd 3e-4"),
                plan.err());
        assertTrue(plan.out().contains("lr 0.1000 to 0.05000"), plan.out());
        assertTrue(plan.out().contains("8 models collected in each, the last at its end"), plan.out());
        assertTrue(plan.out().contains("5 models collected in each"), plan.out());
        Shell ten = Shell.run("schedule", "cifar10", "--recipe=preresnet164", "--methods", "swa");
        assertTrue(ten.out().contains("lr 0.1000 to 0.01000"), ten.out());
        Shell own = Shell.run("schedule", "cifar100", "--recipe", "vgg16", "--lr", 0.2, "--methods", "sgd");
        assertFalse(own.err().contains("--lr 0.05"), own.err());
        assertTrue(own.out().contains("lr 0.2000 to 0.002000"), own.out());
        for (String net : List.of("vgg16", "preresnet110", "wrn-28-10")) {
            Shell each = Shell.run("schedule", "cifar100", "--recipe", net);
            assertEquals(0, each.code(), each.err());
            assertFalse(each.out().contains("change nothing"), net + each.out());
        }
        Shell unknown = Shell.run("schedule", "cifar10", "--recipe", "vgg19");
        assertEquals(2, unknown.code());
        assertTrue(
                unknown.complaint().contains("--recipe") && unknown.complaint().contains("vgg16"), unknown.complaint());
    }

    @Test
    void aComparisonOfWhichNothingIsSaidIsTheShortestInWhichTheMethodsAreInTheirRegime() {
        Shell plain = Shell.run("compare", "fashion-mnist", "--data-dir", shared.resolve("none"));
        assertTrue(
                plain.err()
                        .contains(
                                "--recipe lenet-bn, the default without a net, epochs and samples, sets --model lenet-bn"
                                        + " --epochs 30 --train-samples 10000"),
                plain.err());
        for (String said : List.of("--epochs=3", "--model=mlp", "--train-samples=0", "--resume=runs/none")) {
            Shell other = Shell.run("compare", "fashion-mnist", "--data-dir", shared.resolve("none"), said);
            assertFalse(other.err().contains("--recipe"), other.err());
        }
        Shell plan = Shell.run("schedule", "fashion-mnist", "--recipe", "lenet-bn");
        assertEquals(0, plan.code(), plan.err());
        assertFalse(plan.out().contains("change nothing"), plan.out());
    }

    /** Who looks at the plan sees what would be trained, to the step: epochs, samples, rates and models. */
    @Test
    void scheduleShowsWhatComparingTheSameWouldTrain() throws IOException {
        String[] words = Recipe.complete(new String[] {"compare", "fashion-mnist"});
        TrainingOptions training =
                ((RunOptions.Trains) Main.parsed(List.of(words))).flagged().training();
        assertEquals(10_000, training.settings().data().trainSamples());
        int perEpoch = 10_000 / training.settings().data().batch();
        Path csv = shared.resolve("default.csv");
        Shell plan = Shell.run("schedule", "fashion-mnist", "--csv", csv);
        assertEquals(0, plan.code(), plan.err());
        StringBuilder lines = new StringBuilder("method,step,epoch,lr,alpha,collected\n");
        for (Method m : training.plan(List.of(CompareCommand.METHODS.split(",")), perEpoch)) {
            for (int i = 0; i < m.path().steps(); i++) {
                int at = i;
                boolean collected = Arrays.stream(m.path().collections()).anyMatch(c -> c == at);
                lines.append(m.name() + "," + i + "," + (double) i / perEpoch + ","
                        + m.path().lr(i) + "," + m.averaging().alpha()[i] + "," + (collected ? 1 : 0) + "\n");
            }
        }
        assertEquals(lines.toString(), Files.readString(csv));
        assertTrue(plan.out().contains("2 run(s) of 1170 steps (78 an epoch)"), plan.out());
    }

    @Test
    void publishedFiguresAreThoseOfTheNetAndTheDataAndSaidToBeOthers() {
        Published published = new Published();
        assertEquals("", published.text("cifar100", "vgg16"));
        new CommandLine(published).parseArgs("--published");
        String text = published.text("cifar100", "vgg16");
        assertTrue(text.contains("not measured here") && text.contains("73.91+-0.12, 74.17+-0.15, 74.27+-0.25"), text);
        assertTrue(text.contains("FGE: 74.6, 76.1, 76.6") && !text.contains("93.25"), text);
        assertTrue(published.text("mnist", "mlp").contains("no figures for mlp on mnist"));
    }

    private static List<String> members(Shell shell) {
        List<String> all = new ArrayList<>();
        Matcher m = Pattern.compile("member-(\\d+)\\.safetensors").matcher(shell.out());
        while (m.find()) all.add(m.group(1));
        return all;
    }

    @Test
    void anEnsembleGrowsFromItsNewestMember() {
        Shell oldest = Shell.run("ensemble", fge, "--data-dir", data, "--device", "cpu");
        Shell newest = Shell.run("ensemble", fge, "--data-dir", data, "--device", "cpu", "--newest-first");
        assertEquals(0, newest.code(), newest.err());
        List<String> back = new ArrayList<>(members(oldest));
        java.util.Collections.reverse(back);
        assertEquals(4, back.size());
        assertEquals(back, members(newest));
        assertEquals(lastLine(oldest), lastLine(newest), "all members together");
    }

    private static String lastLine(Shell shell) {
        return shell.out()
                .lines()
                .filter(l -> l.startsWith("all 4, mean"))
                .findFirst()
                .orElseThrow();
    }

    /** Ends that stand on the curve are the nets that it joins; a middle is neither. */
    @Test
    void netsAlongACurveAreAnEnsemble() {
        Path first = fge.resolve("seed-1/fge/member-22.safetensors");
        Path last = fge.resolve("seed-1/fge/member-39.safetensors");
        Path curve = shared.resolve("curve");
        Shell made = Shell.run(
                "connect",
                first,
                last,
                "--data-dir",
                data,
                "--device",
                "cpu",
                "--validation",
                40,
                "--batch-size",
                20,
                "--epochs",
                1,
                "--points",
                3,
                "--threads",
                1,
                "--out",
                curve);
        assertEquals(0, made.code(), made.err());
        Shell along = Shell.run("ensemble", "--curve", curve, "--points", 3, "--data-dir", data, "--device", "cpu");
        assertEquals(0, along.code(), along.err());
        assertTrue(along.out().contains("t-0.0000") && along.out().contains("t-1.0000"), along.out());
        List<String> rows = along.out().lines().filter(l -> l.contains("t-")).toList();
        assertEquals(3, rows.size());
        String both = Shell.run("ensemble", first, last, "--data-dir", data, "--device", "cpu")
                .out();
        assertEquals(alone(both, "member-22"), alone(along.out(), "t-0.0000"), 1.01);
        assertEquals(alone(both, "member-39"), alone(along.out(), "t-1.0000"), 1.01);
        assertEquals(2, Shell.run("ensemble", first, "--curve", curve).code());
        Shell none = Shell.run("ensemble", "--curve", fge);
        assertTrue(none.complaint().contains("is not of a 'basin connect' run"), none.complaint());
    }

    /** The second column of a net's row. */
    private static double alone(String table, String net) {
        String row = table.lines().filter(l -> l.contains(net)).findFirst().orElseThrow();
        return Double.parseDouble(row.strip().split(" +")[1]);
    }

    private static double nll(String text, String before) {
        Matcher m = Pattern.compile(before + "[^\\n]*?NLL ([0-9.]+)").matcher(text);
        assertTrue(m.find(), text);
        return Double.parseDouble(m.group(1));
    }

    @Test
    void confidencesAreScaledByATemperatureFromHeldOutSamplesOrCrossFitted() {
        Path file = fge.resolve("seed-1/fge/member-39.safetensors");
        Shell one = Shell.run("evaluate", file, "--data-dir", data, "--device", "cpu", "--temperature");
        assertEquals(0, one.code(), one.err());
        assertTrue(one.out().contains("fitted on 40 held-out samples"), one.out());
        Shell four = Shell.run("ensemble", fge, "--data-dir", data, "--device", "cpu", "--temperature");
        assertEquals(0, four.code(), four.err());
        assertTrue(four.out().contains("all 4, mean at temperature"), four.out());
        Path all = shared.resolve("all");
        train(all, 0, "sgd");
        Shell crossed = Shell.run(
                "evaluate",
                all.resolve("seed-1/sgd/sgd.safetensors"),
                "--data-dir",
                data,
                "--device",
                "cpu",
                "--temperature");
        assertEquals(0, crossed.code(), crossed.err());
        assertTrue(crossed.out().contains("fitted on each half of the test part"), crossed.out());
        // Nets that know all are as sure as they are right, or modest: a temperature can only help on what it was
        // fitted on.
        assertTrue(nll(crossed.out(), "temperature") < nll(crossed.out(), "accuracy") + 0.05, crossed.out());
    }
}
