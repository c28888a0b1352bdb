package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Photos;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What columns and classes are called decides what a net's inputs and outputs mean: others are refused and not mistaken. */
class OwnNamesTest {
    @TempDir
    static Path trained;

    @TempDir
    Path folder;

    private static Path table;
    private static Path sgd;
    private static Path swa;

    private static Shell run(Object... args) {
        List<Object> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--device", "cpu", "--threads", 1));
        return Shell.run(all.toArray());
    }

    private Path table(String name, String header, String one, String two) throws IOException {
        return table(folder.resolve(name), header, one, two);
    }

    private static Path table(Path file, String header, String one, String two) throws IOException {
        StringBuilder rows = new StringBuilder(header + "\n");
        for (int i = 0; i < 60; i++) {
            rows.append(i % 7 + (i % 2 == 0 ? 20 : 0)).append(',').append(i % 11);
            rows.append(',').append(i % 2 == 0 ? one : two).append('\n');
        }
        return Files.writeString(file, rows);
    }

    /** Anew, as tests take it away. */
    @BeforeEach
    void table() throws IOException {
        table = table(trained.resolve("points.csv"), "x,y,label", "far", "near");
    }

    @BeforeAll
    static void train() throws IOException {
        table = table(trained.resolve("points.csv"), "x,y,label", "far", "near");
        Shell made = run(
                "compare",
                table,
                "--methods",
                "sgd,swa",
                "--epochs",
                4,
                "--batch-size",
                8,
                "--seeds",
                1,
                "--out",
                out());
        assertEquals(0, made.code(), made.err());
        sgd = out().resolve("seed-1/sgd/sgd.safetensors");
        swa = out().resolve("seed-1/swa/swa.safetensors");
    }

    private static Path out() {
        return trained.resolve("run");
    }

    private static void refused(Shell shell, String... says) {
        assertTrue(shell.code() != 0, shell.out());
        for (String part : says) assertTrue(shell.complaint().contains(part), part + " | " + shell.complaint());
    }

    @Test
    void columnsOfOtherNamesOrOrderAreRefusedWhereverAFileAndDataMeet() throws IOException {
        Path turned = table("turned.csv", "y,x,label", "far", "near");
        String[] says = {
            "whose column 1 is 'x', and in " + turned + " it is 'y'", "or give these its columns in their order, x, y"
        };
        Path to = folder.resolve("to");
        for (Object[] command : new Object[][] {
            {"evaluate", sgd},
            {"evaluate", sgd, "--other-data"},
            {"ensemble", sgd, swa},
            {"average", sgd, swa, "--out", to},
            {"soup", sgd, swa, "--greedy", "--out", to},
            {"connect", sgd, swa, "--out", to, "--epochs", 1, "--batch-size", 8},
            {"width", sgd, "--out", to, "--directions", 1, "--points", 3}
        }) {
            List<Object> all = new ArrayList<>(List.of(command));
            all.addAll(List.of("--data-dir", turned));
            refused(run(all.toArray()), says);
            assertFalse(Files.exists(to), all::toString);
        }
        goesOnFromNoOther(turned, to, says);
        // Numbers, labels and shapes are the same: nothing else would tell.
        Files.move(turned, table, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        refused(Shell.run("compare", "--resume", out(), "--seeds", 2), "SHA-256");
    }

    /** Imported nets say no SHA-256 of their data, so that names alone tell them apart: those of every file, not of the first. */
    @Test
    void netsOfOtherNamesGoIntoNothingTogether() throws IOException {
        Path turned = table("turned.csv", "y,x,label", "far", "near");
        Path classes = table("classes.csv", "x,y,label", "far", "west");
        Path same = imported(sgd, table);
        Path twin = imported(swa, table);
        Path other = imported(swa, turned);
        Path west = imported(swa, classes);
        String column = same + " was trained on data whose column 1 is 'x', and in that of " + other + " it is 'y'";
        String named = same + " was trained on data whose class 2 is 'near', and in that of " + west + " it is 'west'";
        Path to = folder.resolve("to");
        Object[][] commands = {
            {"average", same, twin, "NET", "--force", "--out", to},
            {"average", same, twin, "NET", "--force", "--no-bn-update", "--out", to},
            {"soup", same, twin, "NET", "--greedy", "--force", "--out", to},
            {"predict", same, twin, "NET", table},
            {"connect", same, "NET", "--out", to, "--batch-size", 8, "--epochs", 1},
            {"width", same, twin, "NET", "--out", to, "--batch-size", 8},
            {"surface", same, twin, "NET", "--out", to, "--batch-size", 8},
            {"surface", same, "--plane-directions", "filter", "--out", to, "--batch-size", 8, "--average", "NET"},
            {"surface", same, "--plane-directions", "filter", "--out", to, "--batch-size", 8, "--trajectory", "NET"}
        };
        for (int i = 0; i < commands.length; i++) {
            Path net = i % 2 == 0 ? other : west;
            List<Object> all = new ArrayList<>(List.of(commands[i]));
            all.replaceAll(word -> word.equals("NET") ? net : word);
            refused(run(all.toArray()), net == other ? column : named, "imported again with the other's data");
            assertFalse(Files.exists(to), all::toString);
        }
        refused(Shell.run("export", same, other, "--format", "onnx", "--out", to), column);
        refused(Shell.run("export", same, west, "--format", "onnx", "--out", to), named);
        for (String command : List.of("evaluate", "ensemble")) {
            refused(run(command, same, other), other + " was trained on data whose column 1 is 'y'", "in " + table);
            refused(run(command, same, west), west + " was trained on data whose class 2 is 'west'", "in " + table);
        }
    }

    private Path imported(Path net, Path data) {
        Path to = folder.resolve(data.getFileName() + "-" + net.getFileName());
        Shell shell = Shell.run("import", net, "--model", "mlp", "--data", data, "--out", to);
        assertEquals(0, shell.code(), shell.err());
        return to;
    }

    @Test
    void aHeadersNamesAndSizesAgreeOrAreRefused() throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.csv"), "x,y\n25,3\n");
        String[][] damage = {
            {"classes", "[\"far\"]", "names 1 classes for 'outputs' 2"},
            {"classes", "[\"far\",\"near\",\"odd\"]", "names 3 classes for 'outputs' 2"},
            {"classes", "\"far\"", "classes: is no list of names"},
            {"classes", "[0,1]", "classes: is no list of names"},
            {"classes", "[\"far\"", "classes: "},
            {"classes", "[\"fa\\tr\",\"near\"]", "names classes with characters that cannot be shown, [fa?r, near]"},
            {"columns", "[\"x\"]", "names 1 columns for 'input' 2"},
            {"columns", "[\"x\",\"x\"]", "whose column 2 is 'y', and in that of "},
            {"columns", "{\"x\":\"y\"}", "columns: is no list of names"},
            {"outputs", "3", "names 2 classes for 'outputs' 3"},
            {"outputs", "-2", "names 2 classes for 'outputs' -2"},
            {"input", "[3,1,1]", "names 2 columns for 'input' 3"},
            {"input", "[2,1,0]", "'input' is [2,1,0], which is not a sample's size"},
            {"input", "[2,1,1e9]", "which is not a sample's size, or is too large"},
            {"input", "[2,0.5,2]", "which is not a sample's size"},
            {"input", "two", "input: "}
        };
        for (String[] of : damage) {
            Path bad = CrossedFilesTest.edited(folder, sgd, said -> said.put(of[0], of[1]), (name, values) -> {});
            Object[] command = of[0].equals("columns")
                    ? new Object[] {"average", sgd, bad, "--no-bn-update", "--out", folder.resolve("to")}
                    : new Object[] {"predict", bad, rows};
            refused(run(command), bad.toString(), of[2]);
        }
        assertFalse(Files.exists(folder.resolve("to")));
    }

    /** What a program finds the answer to a file by: in JSON the name itself, in a table's cell without line breaks. */
    @Test
    void resultsNameFilesAsTheyAreCalled() throws IOException {
        String[] names = {"a,b.csv", "say \"x\".csv", "\u00fcn\u00ef.csv", "=1+2.csv", "a b.csv", "a\tb.csv", "a\nb.csv"
        };
        List<Object> words = new ArrayList<>(List.of("predict", sgd));
        for (String name : names) words.add(Files.writeString(folder.resolve(name), "x,y\n25,3\n"));
        Path csv = folder.resolve("out.csv");
        Path json = folder.resolve("out.json");
        words.addAll(List.of("--csv", csv, "--json", json, "--top", 1));
        Shell asked = run(words.toArray());
        assertEquals(0, asked.code(), asked.err());
        assertEquals(names.length, asked.out().lines().count(), asked.out());
        List<String> cells = new ArrayList<>();
        try (CSVParser rows = CSVParser.parse(csv, StandardCharsets.UTF_8, CSVFormat.RFC4180)) {
            rows.stream().skip(1).forEach(row -> cells.add(row.get(0)));
        }
        for (int i = 0; i < names.length; i++) {
            String place = folder.resolve(names[i]) + "[0]";
            assertEquals(place, Json.read(json).path(i).path("image").asText());
            assertEquals(place.replaceAll("[\\t\\n]", "?"), cells.get(i));
        }
    }

    @Test
    void whatBeginsWithFirstWeightsTakesNoNetToGoOnFrom() {
        Path to = folder.resolve("to");
        for (String command : List.of("rounds", "stability"))
            refused(
                    run(command, table, "--from", sgd, "--epochs", 6, "--batch-size", 8, "--out", to),
                    "--from: ",
                    "from first weights on, so " + sgd + " would not be read: leave it out");
        assertFalse(Files.exists(to));
    }

    private void goesOnFromNoOther(Path turned, Path to, String... says) {
        Object[] from = {"--from", sgd, "--epochs", 6, "--batch-size", 8, "--out", to};
        for (String command : List.of("train", "compare")) {
            refused(
                    run(
                            command,
                            turned,
                            command.equals("train") ? "--method" : "--methods",
                            "sgd",
                            from[0],
                            from[1],
                            from[2],
                            from[3],
                            from[4],
                            from[5],
                            from[6],
                            from[7]),
                    says);
        }
    }

    @Test
    void classesOfOtherNamesAreRefusedEvenOnOtherData() throws IOException {
        Path other = table("other.csv", "x,y,label", "near", "west");
        refused(
                run("evaluate", sgd, "--data-dir", other, "--other-data"),
                "whose class 1 is 'far', and in " + other + " it is 'near'",
                "in their order, far, near");
        Path more = Files.writeString(
                other, Files.readString(table) + "1,1,odd\n2,2,odd\n1,2,odd\n3,2,odd\n1,7,odd\n1,8,odd\n");
        refused(run("evaluate", sgd, "--data-dir", more, "--other-data"), "whose class 3 is missing", "it is 'odd'");
        refused(
                run("train", more, "--method", "sgd", "--from", sgd, "--epochs", 6, "--batch-size", 8),
                "--from: " + sgd + " predicts 2 classes",
                "has 3",
                "basin import --new-head");
    }

    @Test
    void aMeanWithoutBatchNormNeedsNoData() throws IOException {
        Path mean = folder.resolve("mean.safetensors");
        Shell measured = run("average", sgd, swa, "--out", mean);
        assertTrue(measured.out().contains("held-out accuracy"), measured.out() + measured.err());
        Files.delete(table);
        Path same = folder.resolve("same.safetensors");
        Shell blind = run("average", sgd, swa, "--out", same);
        assertEquals(0, blind.code(), blind.err());
        assertTrue(blind.err().contains("without batch norm a mean needs none"), blind.err());
        Path rows = Files.writeString(folder.resolve("rows.csv"), "x,y\n25,3\n1,3\n");
        assertEquals(
                run("predict", mean, rows).out(), run("predict", same, rows).out());
    }

    @Test
    void namesOfClassesThatCannotBeShownAreRefusedByName() throws IOException {
        Path tab = table("tab.csv", "x,y,label", "fa\tr", "near");
        String says = "calls a class 'fa?r', with a tab";
        refused(run("train", tab, "--method", "sgd"), tab + ": " + says);
        Path names = Files.writeString(folder.resolve("names.txt"), "fa\tr\nnear\n");
        refused(run("train", table, "--method", "sgd", "--class-names", names), names + ": " + says);
        Path bare = folder.resolve("in.safetensors");
        refused(
                Shell.run("import", sgd, "--model", "mlp", "--num-classes", 2, "--class-names", names, "--out", bare),
                names + ": " + says);
        Path photos = Photos.write(folder.resolve("paint"), 6);
        Files.move(photos.resolve("red"), photos.resolve("r\u001b[31med"));
        refused(run("train", photos, "--method", "sgd"), photos + ": calls a class 'r?[31med'");
        // Windows' editors begin a text so.
        Files.writeString(names, "\uFEFFA\u200Cb\nnear\n");
        Shell fine = run(
                "train",
                table,
                "--method",
                "sgd",
                "--class-names",
                names,
                "--epochs",
                1,
                "--batch-size",
                8,
                "--out",
                folder.resolve("fine"));
        assertEquals(0, fine.code(), fine.err());
        Shell asked = run(
                "predict",
                folder.resolve("fine/seed-1/sgd/sgd.safetensors"),
                Files.writeString(folder.resolve("rows.csv"), "x,y\n25,3\n"));
        assertTrue(asked.out().contains(" A\u200Cb "), asked.out());
    }
}
