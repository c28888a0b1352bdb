package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.device.AdamW;
import io.basin.io.Json;
import io.basin.methods.Budget;
import io.basin.methods.Snapshot;
import io.basin.methods.Swa;
import io.basin.methods.Tail;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code --optimizer adamw} in train and compare: its defaults, what it refuses, and that a run keeps its optimizer. */
class OptimizerFlagTest {
    @TempDir
    Path folder;

    private static TrainingOptions parsed(String... args) {
        TrainingOptions options = new TrainingOptions();
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
        return options;
    }

    @Test
    void adamWHasSmallerRatesUnlessTheyAreGiven() {
        TrainingOptions usual = parsed("mnist", "--optimizer", "adamw");
        assertEquals(new AdamW(0.01), usual.settings().optimizer());
        assertEquals(new Budget(10, 0.001), usual.budget());
        assertEquals(2e-4, ((Swa) usual.methods().named("swa")).lr(), 1e-18);
        assertEquals(2e-3, ((Snapshot) usual.methods().named("snapshot")).lr(), 1e-18);
        TrainingOptions own = parsed(
                "mnist",
                "--optimizer",
                "adamw",
                "--lr",
                "0.05",
                "--wd",
                "0",
                "--beta1",
                "0.8",
                "--beta2",
                "0.99",
                "--eps",
                "1e-6",
                "--swa-lr",
                "0.01");
        assertEquals(new AdamW(0.8, 0.99, 1e-6, 0), own.settings().optimizer());
        assertEquals(0.05, own.budget().lr());
        assertEquals(0.01, ((Tail) own.methods().named("tail")).lr());
    }

    @Test
    void whatTheOtherOptimizerTakesIsRefused() {
        for (String flag : List.of("--beta1", "--beta2", "--eps")) {
            refused(flag + " is of --optimizer adamw: leave it out, or choose that", flag, 0.5);
        }
        refused("--momentum is of --optimizer sgd", "--optimizer", "adamw", "--momentum", 0.9);
        refused("--nesterov is of --optimizer sgd", "--optimizer", "adamw", "--nesterov");
    }

    private static void refused(String message, Object... flags) {
        List<Object> words = new ArrayList<>(List.of("schedule", "mnist"));
        words.addAll(List.of(flags));
        Shell shell = Shell.run(words.toArray());
        assertTrue(shell.code() != 0 && shell.complaint().contains(message), shell.code() + shell.complaint());
    }

    private Shell train(Path data, String optimizer, Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--method", "swa"));
        words.addAll(List.of("--validation", 40, "--batch-size", 20, "--epochs", 2, "--device", "cpu", "--threads", 1));
        words.addAll(List.of("--optimizer", optimizer));
        words.addAll(List.of(more));
        return Shell.run(words.toArray());
    }

    @Test
    void aRunKeepsItsOptimizerAndIsRefusedUnderAnother() {
        Path data = Shell.grey(folder.resolve("data"), 240, 100);
        Path run = folder.resolve("run");
        Shell first = train(data, "adamw", "--out", run);
        assertEquals(0, first.code(), first.err());
        Shell other = train(data, "sgd", "--resume", run);
        assertTrue(other.complaint().contains("was written with --optimizer adamw, now sgd"), other.complaint());
        Shell again = train(data, "adamw", "--resume", run);
        assertEquals(0, again.code(), again.err());
    }

    /** Folders of versions that knew SGD alone do not name it. */
    @Test
    void aFolderThatNamesNoOptimizerIsOfSgd() {
        Path data = Shell.grey(folder.resolve("data"), 240, 100);
        Path run = folder.resolve("run");
        assertEquals(0, train(data, "sgd", "--out", run).code());
        Path file = run.resolve(Configuration.FILE);
        ObjectNode config = Json.unseal(file, "restore it");
        config.remove(List.of("optimizer", "sha256"));
        Json.seal(file, config);
        Shell again = train(data, "sgd", "--resume", run);
        assertEquals(0, again.code(), again.err());
        Shell other = train(data, "adamw", "--resume", run);
        assertTrue(other.complaint().contains("was written with --optimizer sgd, now adamw"), other.complaint());
    }
}
