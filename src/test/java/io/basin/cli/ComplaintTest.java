package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be understood is said in our words, with what was meant. */
class ComplaintTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            comapre mnist                        | unknown command 'comapre'; did you mean 'compare'?
            data lsit                            | unknown command 'lsit'; did you mean 'list'?
            train mnist --epoch 3                | unknown option '--epoch'; did you mean '--epochs'?
            train mnist --epoch=3                | unknown option '--epoch'; did you mean '--epochs'?
            train mnist --methods sgd            | unknown option '--methods'; did you mean '--method'?
            compare mnist --method sgd           | unknown option '--method'; did you mean '--methods'?
            compare mnist --ood fmnist           | --ood: unknown set 'fmnist'; did you mean 'mnist'?
            train mnist --precision pf32         | --precision: 'pf32' is none of fp32, strict, tf32, bf16; did you mean 'fp32'?
            compare mnsit                        | DATASET: unknown data set 'mnsit'; did you mean 'mnist'?
            compare mnist --methods sgd,swaa     | --methods: unknown method 'swaa'; did you mean 'swa'?
            compare mnist --methods ,            | --methods names no method: leave it out for the usual ones
            doctor --device foo                  | --device: unknown device 'foo'
            ensemble a --points 5                | --points is of --curve, which is not named
            train mnist --method swaa            | --method: unknown method 'swaa'; did you mean 'swa'?
            train mnist --method sgd,swa         | --method takes one method, got 'sgd,swa'; 'basin compare --methods sgd,swa' trains several
            schedule mnist --methods fgee        | --methods: unknown method 'fgee'; did you mean 'fge'?
            train mnist --model preresnet-20     | --model: unknown net 'preresnet-20'; did you mean 'preresnet20'?
            train mnist --device cpuu            | --device: unknown device 'cpuu'; did you mean 'cpu'?
            ensemble a --combine median          | --combine: 'median' is none of mean, vote, weighted, ridge
            train mnist --augment rotate         | --augment: 'rotate' is none of none, flip, crop_flip
            connect a b --curve beziers          | --curve: 'beziers' is none of bezier, polychain; did you mean 'bezier'?
            train mnist --lr three               | --lr: 'three' is not a number such as 1.5
            train mnist --lr 1,5                 | --lr: '1,5' is not a number such as 1.5 (with a point, not a comma)
            train mnist --batch-size 3.5         | --batch-size: '3.5' is not a whole number such as 10
            train mnist --lr                     | --lr needs a value after it
            train mnist --lr 1 --lr 2            | --lr is given twice
            train mnist fashion-mnist            | 'fashion-mnist' is one word too many: 'basin train' takes DATASET
            train                                | DATASET is missing
            connect a                            | name at least 2 of FILE
            average a b                          | --out is missing (the weights file to write)
            soup a b --out c                     | one of --uniform, --greedy is missing
            soup --uniform --greedy a b --out c  | only one of --uniform, --greedy at once
            """)
    void aCommandLineAtFaultSaysWhatWasMeant(String line, String says) {
        Shell shell = Shell.run((Object[]) line.split(" "));
        assertEquals(2, shell.code(), shell.err());
        assertTrue(shell.complaint().startsWith("basin: " + says), shell.complaint());
        assertFalse(shell.complaint().contains("'3'"), "a value is not an option: " + shell.complaint());
    }

    @Test
    void anEmptyNameIsNotAFile() {
        Shell shell = Shell.run("evaluate", "");
        assertEquals(
                "basin: FILE: the name is empty; name a file or folder; see 'basin evaluate --help'",
                shell.complaint());
    }

    /** Before anybody is told that DATASET, which it would have named, is missing. */
    @ParameterizedTest
    @ValueSource(strings = {"", "[[[[", "[]", "{\"command\" : [\"train\", \"mnist\""})
    void aDamagedConfigurationIsNamedByResume(String content) throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"), content);
        Shell shell = Shell.run("train", "--resume", folder);
        assertEquals(1, shell.code(), shell.err());
        assertTrue(shell.complaint().startsWith("basin: " + config + ": "), shell.complaint());
    }

    @Test
    void aFolderIsNoPicture() throws IOException {
        Path weights = Files.createFile(folder.resolve("w.safetensors"));
        Shell shell = Shell.run("predict", weights, folder);
        assertTrue(shell.complaint().contains("is a folder: name the pictures in it"), shell.complaint());
        assertEquals(2, shell.code());
    }

    @Test
    void aWrongFileIsToldFromWeights() throws IOException {
        Path page = Files.writeString(folder.resolve("report.html"), "<!DOCTYPE html>\n<html lang=\"en\"></html>");
        Shell shell = Shell.run("evaluate", page);
        assertEquals(1, shell.code());
        assertTrue(
                shell.complaint().contains("report.html: is not a safetensors file but looks like an HTML page"),
                shell.complaint());
        Path picture =
                Files.write(folder.resolve("shoe.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0});
        Shell swapped = Shell.run("predict", picture, folder.resolve("a.safetensors"));
        assertEquals(2, swapped.code());
        assertTrue(
                swapped.complaint().contains("shoe.png looks like a PNG picture; name the weights first"),
                swapped.complaint());
        Shell dir = Shell.run("evaluate", folder);
        assertTrue(dir.complaint().contains(folder + ": is a folder; name a weights file in it"), dir.complaint());
    }

    @Test
    void settingsThatAreTooShortSayWhichFlagAndWhatToDo() {
        Object[] line = "schedule mnist --methods fge --samples 5500 --batch-size 128 --epochs 1".split(" ");
        Shell shell = Shell.run(line);
        assertEquals(2, shell.code());
        assertTrue(
                shell.complaint()
                        .contains("--fge-start 0.8 leaves 1 of 3 steps, and at least 2 are needed: lower it, or raise"),
                shell.complaint());
    }

    @Test
    void exceptionsThatAreNotForPeopleAreTranslated() {
        AccessDeniedException denied = new AccessDeniedException("/root/w");
        for (Throwable e : List.of(
                new UncheckedIOException(denied),
                new UncheckedIOException(null, denied),
                new ArrayIndexOutOfBoundsException("Index 5 out of bounds for length 3"),
                new NullPointerException(),
                new IllegalArgumentException(),
                assertInside(() -> Integer.parseInt("w")),
                assertInside(() -> Path.of("a\0b")))) {
            String said = Complaint.of(e);
            assertEquals(List.of(), MessageForm.faults(said), said);
            assertTrue(said.split(" ").length > 3 || said.equals("/root/w: permission denied"), said);
        }
        assertEquals("/root/w: permission denied", Complaint.of(new UncheckedIOException(denied)));
        assertEquals("a: is damaged", Complaint.of(new FormatException("a", "is damaged")));
        assertEquals("--lr must", Complaint.of(new IllegalArgumentException("--lr must")));
    }

    private static Throwable assertInside(Runnable jdk) {
        try {
            jdk.run();
        } catch (RuntimeException e) {
            return e;
        }
        throw new AssertionError("nothing was thrown");
    }

    @Test
    void noPlaceholderInHelpIsTheNameOfAField() {
        for (String command : Main.commandLine().getSubcommands().keySet()) {
            Shell help = Shell.run(command, "--help");
            assertFalse(help.out().contains("=<") || help.out().contains("<arg"), help.out());
        }
        String train = Shell.run("train", "--help").out();
        assertTrue(
                train.contains("--epochs=X") && train.contains("--snapshot-cycles=N") && train.contains("--out=PATH"),
                train);
        assertTrue(Shell.run("compare", "--help").out().contains("--methods=NAME,..."));
    }
}
