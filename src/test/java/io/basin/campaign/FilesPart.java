package io.basin.campaign;

import io.basin.cli.RunDamage;
import io.basin.data.DataException;
import io.basin.data.Dataset;
import io.basin.data.IdxFormat;
import io.basin.ensemble.ModelFile;
import io.basin.io.Damage;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.io.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Files of every kind, damaged at random: read as far as they are whole, or refused with their name. */
final class FilesPart implements Part {
    /** Of each kind in a round; a resume takes as long as all of them. */
    private static final int ROUND = 200;

    private interface Reader {
        void read(Path file);
    }

    private record Kind(String name, byte[] valid, Reader reader) {}

    @Override
    public String name() {
        return "files";
    }

    @Override
    public Counts run(Path place, long seed, Instant deadline) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Counts counts = new Counts();
        RunDamage damage = new RunDamage(Files.createDirectory(place.resolve("runs")));
        List<Kind> kinds = kinds(place);
        do {
            for (Kind kind : kinds) {
                for (int i = 0; i < ROUND; i++) counts.attempt(kind.name(), () -> damaged(place, kind, random));
            }
            counts.attempt("a run's folder", () -> damage.harmed(random));
        } while (Instant.now().isBefore(deadline));
        return counts;
    }

    private static String damaged(Path place, Kind kind, SplittableRandom random) throws IOException {
        Path file = place.resolve("damaged-" + kind.name());
        Files.deleteIfExists(file);
        Files.write(file, Damage.of(kind.valid(), random));
        try {
            kind.reader().read(file);
            return "";
        } catch (FormatException | DataException e) {
            boolean clear =
                    e.getMessage().contains(file.toString()) && e.getMessage().length() < 1000;
            return clear ? "" : e.toString();
        }
    }

    private static List<Kind> kinds(Path place) throws IOException {
        Path weights = place.resolve("valid.safetensors");
        Safetensors.writer()
                .add("weight", new long[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6})
                .metadata(Map.of("model", "mlp", "dataset", "mnist"))
                .write(weights);
        byte[] json = Json.text(Map.of("lr", 0.05, "epochs", 200, "of", Map.of("net", "vgg16", "seeds", List.of(1, 2))))
                .getBytes();
        byte[] lines = "{\"epoch\":1,\"loss\":0.5}\n{\"epoch\":2,\"loss\":0.25}\n".getBytes();
        byte[] labels = ByteBuffer.allocate(28).putInt(0x801).putInt(20).array();
        Path images = Files.write(
                place.resolve("valid-images"),
                ByteBuffer.allocate(16 + 20 * 16)
                        .putInt(0x803)
                        .putInt(20)
                        .putInt(4)
                        .putInt(4)
                        .array());
        List<String> classes = List.of("a", "b");
        Dataset like = new Dataset("like", new byte[16], new int[1], 4, 4, 1, classes);
        return List.of(
                new Kind("weights", Files.readAllBytes(weights), FilesPart::everyTensor),
                new Kind("model", Files.readAllBytes(weights), ModelFile::of),
                new Kind("json", json, Json::read),
                new Kind("json lines", lines, JsonLines::read),
                new Kind("idx labels", labels, file -> IdxFormat.read(images, file, "images", classes)),
                new Kind("idx images", Files.readAllBytes(images), file -> IdxFormat.images(file, like)));
    }

    private static void everyTensor(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            in.tensors().keySet().forEach(in::read);
        }
    }
}
