package io.basin.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import io.basin.train.Provenance;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KinshipTest {
    private static StoredModel model(String file, String... entries) {
        Map<String, String> header = new LinkedHashMap<>(Map.of("model", "mlp", "dataset", "mnist", "init", "1000"));
        for (int i = 0; i < entries.length; i += 2) header.put(entries[i], entries[i + 1]);
        return new StoredModel(Path.of(file), Provenance.of(file, header));
    }

    private static void objects(StoredModel b, String reason) {
        Optional<String> why = Kinship.objection(List.of(model("a"), b));
        assertTrue(why.orElseThrow().contains(reason), why.get());
        assertTrue(why.get().contains("b"), why.get());
    }

    @Test
    void modelsOfOneInitialisationHaveAMean() {
        assertEquals(Optional.empty(), Kinship.objection(List.of(model("a"), model("b"), model("c"))));
    }

    @Test
    void anotherInitialisationAnotherRestartAndAnUnknownOriginAreObjectedTo() {
        objects(model("b", "init", "2000"), "initialisation 1000");
        objects(model("b", "restarts", "1"), "restart of the rate");
        objects(model("b", "init", ""), "does not say");
    }

    @Test
    void inputsNormalisedDifferentlyAreObjectedTo() {
        StoredModel a = model("a", "mean", "[0.3]", "std", "[0.4]");
        StoredModel b = model("b", "mean", "[0.3]", "std", "[0.5]");
        assertTrue(Kinship.objection(List.of(a, b)).orElseThrow().contains("normalised differently"));
        assertEquals(Optional.empty(), Kinship.objection(List.of(a, a)));
    }

    /** Samples that any part was trained on are not held out of the whole. */
    @Test
    void aMeanClaimsNoMoreThanHoldsForAllItsParts() {
        Provenance a = model("a", "validation", "5000", "train_samples", "100").origin();
        Provenance b = model("b", "validation", "1000", "train_samples", "200", "init", "2000")
                .origin();
        Provenance joint = Provenance.joint(List.of(a, b), "soup");
        assertEquals(1000, joint.validation());
        assertEquals(0, joint.trainSamples());
        assertEquals("1000+2000", joint.init());
        assertEquals("soup", joint.method());
        assertEquals(5000, Provenance.joint(List.of(a, a), "soup").validation());
        assertEquals(100, Provenance.joint(List.of(a, a), "soup").trainSamples());
        Provenance silent = model("c").origin();
        assertEquals(0, Provenance.joint(List.of(a, silent), "soup").validation());
    }

    @Test
    void otherNetsAndOtherDataSetsAreRefused() {
        for (String key : List.of("model", "dataset")) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> Kinship.requireSameNet(List.of(model("a"), model("b", key, "another"))));
            assertTrue(e.getMessage().contains("another"), e.getMessage());
        }
    }

    @Test
    void aHeaderSurvivesTheRoundTrip() {
        Provenance p = new Provenance(
                "mlp", "mnist", "swa", "7", 2, new float[] {0.1f, 0.2f}, new float[] {1, 1e-3f}, 50, 60, 70, 1, true);
        assertEquals(p, Provenance.of("file", p.header()));
        assertEquals(p.mean()[1], Provenance.of("file", p.header()).mean()[1]);
    }

    @Test
    void aHeaderWithoutNetOrWithNumbersThatAreNoneIsRefused() {
        assertThrows(FormatException.class, () -> Provenance.of("f", Map.of("dataset", "mnist")));
        FormatException e = assertThrows(
                FormatException.class,
                () -> Provenance.of("f", Map.of("dataset", "mnist", "model", "mlp", "mean", "[0.1, \"x\"]")));
        assertTrue(e.getMessage().contains("f"), e.getMessage());
        for (String key : List.of("validation", "train_samples", "batch", "pad", "restarts")) {
            for (String value : List.of("-1", "many", "99999999999")) {
                FormatException bad = assertThrows(
                        FormatException.class,
                        () -> Provenance.of("f", Map.of("dataset", "mnist", "model", "mlp", key, value)));
                assertTrue(bad.getMessage().contains(value), bad.getMessage());
            }
        }
    }
}
