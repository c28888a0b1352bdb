package io.basin.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.ensemble.Metrics;
import io.basin.ensemble.ModelFile;
import io.basin.io.Damage;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.report.Extras;
import io.basin.report.Summary;
import io.basin.train.ModelCard;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Damage to what a run keeps beside its weights ends in what can be used, or in a refusal that names the file. */
@Timeout(60)
class RunFilesTest {
    private static final int ROUNDS = 3000;

    @TempDir
    private Path folder;

    /** Reads a file's bytes, then uses what was read. */
    private interface Reader {
        void read(Path file);
    }

    private void damage(Path seed, Reader reader) throws IOException {
        reader.read(seed);
        byte[] valid = Files.readAllBytes(seed);
        SplittableRandom random = new SplittableRandom(4);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Files.deleteIfExists(seed);
            Files.write(seed, Damage.of(valid, random));
            try {
                reader.read(seed);
            } catch (FormatException e) {
                refused++;
                String message = e.getMessage();
                assertTrue(message.startsWith(seed + ": ") && message.length() < 1000, message);
            }
        }
        assertTrue(refused > 0 && refused < ROUNDS, "the mutations must reach both ends, refused " + refused);
    }

    private static MethodScore result(String method) {
        Metrics metrics = new Metrics(2);
        BitSet hits = new BitSet();
        for (int i = 0; i < 30; i++) {
            hits.set(i, i % 3 > 0);
            metrics.add(new double[] {0.7, 0.3}, i % 3 > 0 ? 0 : 1);
        }
        return MethodScore.of(new Summary.Row(method, "", 1, 0, 1, List.of()), 1, metrics, null, hits);
    }

    @Test
    void scoresAreReadOrRefused() throws IOException {
        Path file = folder.resolve("scores.json");
        Json.write(file, List.of(result("sgd"), result("swa")));
        damage(file, f -> Findings.of(MethodScore.read(f)));
    }

    @Test
    void scoresOfNothingAreRefused() throws IOException {
        Path file = folder.resolve("scores.json");
        for (String text : new String[] {"[]", "3", "{}", "[{\"method\":\"sgd\"}]"}) {
            Files.writeString(file, text);
            String message = assertThrows(FormatException.class, () -> MethodScore.read(file))
                    .getMessage();
            assertTrue(
                    message.startsWith(file + ": ") && message.endsWith("delete it to train this run again"), message);
        }
    }

    @Test
    void evidenceIsReadOrRefused() throws IOException {
        Finished.writeExtras(
                folder,
                new Extras(
                        List.of(),
                        List.of(),
                        List.of(new Extras.Growth("fge", 1, List.of(0.5, 0.75))),
                        List.of(new Extras.Corrupted("swa", 1, "noise", 2, 0.5, 1.5, 0.02)),
                        List.of(new Extras.Outside("swa", 1, "mnist", 0.9, 0.8, 0.4)),
                        List.of(Extras.Check.of("what", "swa, seed 1", true, "1e-7"))));
        damage(folder.resolve("evidence.json"), file -> Finished.readExtras(folder));
    }

    private static ModelCard origin() {
        float[] mean = {0.28f, 0.3f};
        float[] std = {0.35f, 0.4f};
        return new ModelCard("mlp", "mnist", "swa", "1000", 0, mean, std, 5000, 0, 0, 128, 0, false, "");
    }

    @Test
    void aWeightsFilesOriginIsReadOrRefused() throws IOException {
        Path file = folder.resolve("swa.safetensors");
        Safetensors.writer()
                .add("w", new long[] {1}, new float[] {1})
                .metadata(origin().header())
                .write(file);
        damage(file, ModelFile::of);
    }

    /** Damage to one value at a time, which the file's own checks let pass. */
    @Test
    void aHeadersValuesAreReadOrRefused() {
        SplittableRandom random = new SplittableRandom(5);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Map<String, String> header = new LinkedHashMap<>(origin().header());
            List<String> keys = new ArrayList<>(header.keySet());
            header.computeIfPresent(
                    keys.get(random.nextInt(keys.size())),
                    (key, value) -> new String(
                            Damage.of(value.getBytes(StandardCharsets.UTF_8), random), StandardCharsets.UTF_8));
            try {
                ModelCard read = ModelCard.of("w", header);
                assertEquals(read, ModelCard.of("w", read.header()));
            } catch (FormatException e) {
                refused++;
                assertTrue(e.getMessage().startsWith("w: ") && e.getMessage().length() < 1000, e.getMessage());
            }
        }
        assertTrue(refused > 0 && refused < ROUNDS, "refused " + refused);
    }
}
