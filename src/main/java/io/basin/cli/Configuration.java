package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.io.Sha256;
import io.basin.report.Extras;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A run's {@code config.json}: written once, and compared when the run resumes, before anything in the folder changes. */
final class Configuration {
    static final String FILE = "config.json";
    private static final String METHODS = "methodSettings.";
    private static final String COMMAND = "command";
    private static final String DATA = "data";
    private static final String DEVICE = "device";
    private static final String EARLIER = "earlierDevices";
    /** Key of what results must be of, here and in {@code results.json}. */
    static final String IDENTITY = "configuration";

    private final String command;
    private final Map<String, Object> fixed = new LinkedHashMap<>();
    private final Map<String, Object> growing = new LinkedHashMap<>();
    private final Map<String, Object> free = new LinkedHashMap<>();
    private final String data;
    /** Values that files of older versions, which had no choice, omit. */
    private static final JsonNode EARLIER_VALUES = Json.parse(
            "{\"optimizer\": \"SGD\", \"settings.data.labelNoise\": 0, \"settings.data.jitter\": 0,"
                    + " \"settings.data.cutout\": 0, \"settings.data.mixup\": 0, \"budget.annealing\": \"SWA_PAPER\", \"budget.done\": 0,"
                    + " \"budget.multiples\": [1.0], \"from\": \"\", \"free-ends\": false}",
            FILE);

    private final String device;
    private final boolean anyDevice;
    private final List<String> earlier = new ArrayList<>();

    /**
     * @param command what made the folder; no other command may go on in it
     * @param data fingerprint of the data: a resumed run must have the same
     * @param device what computes: a resumed run must have the same, since others round differently, unless {@code anyDevice} will
     *     do
     */
    Configuration(String command, String data, String device, boolean anyDevice) {
        this.command = command;
        this.data = data;
        this.device = device;
        this.anyDevice = anyDevice;
    }

    /** Values that decide the results and must not change when the run resumes. Records count field by field. */
    Configuration fixed(String name, Object value) {
        fixed.put(name, value);
        return this;
    }

    /** Values that may grow when the run resumes: methods and seeds are added to the old ones. */
    Configuration growing(String name, List<?> values) {
        growing.put(name, values);
        return this;
    }

    /** Values that may change when the run resumes, kept for readers. */
    Configuration free(String name, Object value) {
        free.put(name, value);
        return this;
    }

    /** Says in the results that several devices made them; empty where one did. */
    Extras mixture() {
        if (earlier.isEmpty()) return Extras.NONE;
        String why = mixed() + ": bits differ from those of a run on one device";
        return Extras.of(Extras.Check.notCovered("one device computed everything", "all", why));
    }

    /** In words which devices computed. */
    String mixed() {
        return earlier.isEmpty()
                ? device
                : "resumed with --any-device on " + device + ", before on " + String.join(", then ", earlier);
    }

    /** The words that ask for it again. */
    List<String> words() {
        return free.get(Resumption.KEY) instanceof List<?> words
                ? words.stream().map(String::valueOf).toList()
                : List.of(command);
    }

    /** The values that decide the results. */
    JsonNode tree() {
        Map<String, Object> all = new LinkedHashMap<>(fixed);
        all.putAll(growing);
        return Json.parse(Json.text(all), FILE);
    }

    /** The SHA-256 of what cannot change from one call to the next: results of another run have another. */
    String identity() {
        return Sha256.of(command + data + Json.text(fixed));
    }

    /** Writes it into a new folder; in a resumed one it must be the same. */
    void keep(Path folder) {
        Path file = folder.resolve(FILE);
        Map<String, Object> all = new LinkedHashMap<>(fixed);
        all.putAll(growing);
        all.putAll(free);
        all.put(COMMAND, command);
        if (Files.exists(file)) {
            JsonNode there =
                    Json.unseal(file, "restore it from a copy, or name a folder of its own with --out to train anew");
            requireSameCommand(file, there);
            requireSameData(file, there.path(DATA));
            requireSameDevice(file, there);
            ObjectNode now = (ObjectNode) Json.parse(Json.text(fixed), FILE);
            // First, as the usual rates follow from it.
            requireSame(file, "", there, now.deepCopy().retain("optimizer"));
            requireSame(file, "", there, now);
            requireAll(file, there, Json.parse(Json.text(growing), FILE));
        }
        all.put(IDENTITY, identity());
        all.put(DATA, data);
        all.put(DEVICE, device);
        if (!earlier.isEmpty()) all.put(EARLIER, earlier);
        Json.seal(file, all);
    }

    private void requireSameData(Path file, JsonNode there) {
        // An older version's file names none, nor a sum of its own, of which its reader was warned.
        if (there.isMissingNode() || there.asText().equals(data)) return;
        throw new IllegalArgumentException("--resume: " + file + " is of a run on other data: there " + there.asText()
                + ", now " + data + "; name the folder of the run's data with --data-dir");
    }

    private void requireSameDevice(Path file, JsonNode there) {
        there.path(EARLIER).forEach(d -> earlier.add(d.asText()));
        JsonNode old = there.path(DEVICE);
        if (old.isMissingNode() || old.asText().equals(device)) return;
        if (!anyDevice) {
            throw new IllegalArgumentException("--resume: " + file + " says device = " + old + ", now \"" + device
                    + "\", which rounds differently: choose the same with --device and --threads, or go on with"
                    + " --any-device, where the bits will differ");
        }
        earlier.add(old.asText());
        Notices.once(file + ": " + mixed() + "; the bits will differ from those of a run on one device");
    }

    private void requireSameCommand(Path file, JsonNode there) {
        String other = there.path(COMMAND).asText();
        if (other.equals(command)) return;
        throw new IllegalArgumentException("--resume: " + file + " was written by "
                + (other.isEmpty() ? "another version" : "'basin " + Printable.of(other) + "'") + ", and 'basin "
                + command
                + "' would spoil that run: name a folder of its own with --out");
    }

    private static void requireSame(Path file, String within, JsonNode there, JsonNode now) {
        ObjectNode all = now.deepCopy();
        // A setting that is not used is not said.
        for (Map.Entry<String, JsonNode> field : there.properties()) {
            JsonNode unused = EARLIER_VALUES.path(within + field.getKey());
            if (!within.isEmpty() && !all.has(field.getKey()) && unused.isNumber()) all.set(field.getKey(), unused);
        }
        for (Map.Entry<String, JsonNode> field : all.properties()) {
            String name = within + field.getKey();
            // A method that joins the run brings its settings.
            if (within.equals(METHODS) && !there.has(field.getKey())) continue;
            JsonNode old = there.has(field.getKey()) ? there.path(field.getKey()) : EARLIER_VALUES.path(name);
            if (old.isObject() && field.getValue().isObject()) {
                requireSame(file, name + ".", old, field.getValue());
            } else if (!same(old, field.getValue())) {
                throw new IllegalArgumentException("--resume: " + file + " was written with " + FlagNames.of(name) + " "
                        + FlagNames.value(old) + ", now " + FlagNames.value(field.getValue())
                        + "; repeat the flags of that run, or start anew with --out");
            }
        }
    }

    private static void requireAll(Path file, JsonNode there, JsonNode now) {
        for (Map.Entry<String, JsonNode> field : now.properties()) {
            Set<String> kept = new HashSet<>();
            field.getValue().forEach(v -> kept.add(v.asText()));
            for (JsonNode old : there.path(field.getKey())) {
                if (kept.contains(old.asText())) continue;
                throw new IllegalArgumentException("--resume: " + file + " was written with "
                        + FlagNames.of(field.getKey()) + " "
                        + FlagNames.value(there.path(field.getKey())) + ", now " + FlagNames.value(field.getValue())
                        + "; a resumed run may add to them, not leave any out");
            }
        }
    }

    private static boolean same(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? a.asDouble() == b.asDouble() : a.equals(b);
    }
}
