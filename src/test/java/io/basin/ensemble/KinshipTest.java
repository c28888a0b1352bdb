package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import io.basin.train.ModelCard;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KinshipTest {
    private static ModelFile model(String file, String... entries) {
        Map<String, String> header = new LinkedHashMap<>(Map.of("model", "mlp", "dataset", "mnist", "init", "1000"));
        for (int i = 0; i < entries.length; i += 2) header.put(entries[i], entries[i + 1]);
        return new ModelFile(Path.of(file), ModelCard.of(file, header));
    }

    private static void objects(ModelFile b, String reason) {
        Optional<String> why = Mergeability.objection(List.of(model("a"), b));
        assertTrue(why.orElseThrow().contains(reason), why.get());
        assertTrue(why.get().contains("b"), why.get());
    }

    @Test
    void modelsOfOneInitialisationHaveAMean() {
        assertEquals(Optional.empty(), Mergeability.objection(List.of(model("a"), model("b"), model("c"))));
    }

    @Test
    void anotherInitialisationAnotherRestartAndAnUnknownOriginAreObjectedTo() {
        objects(model("b", "init", "2000"), "initialisation 1000");
        objects(model("b", "restarts", "1"), "restart of the rate");
        objects(model("b", "init", ""), "does not say");
    }

    @Test
    void inputsNormalisedDifferentlyAreObjectedTo() {
        ModelFile a = model("a", "mean", "[0.3]", "std", "[0.4]");
        ModelFile b = model("b", "mean", "[0.3]", "std", "[0.5]");
        assertTrue(Mergeability.objection(List.of(a, b)).orElseThrow().contains("normalised differently"));
        assertEquals(Optional.empty(), Mergeability.objection(List.of(a, a)));
    }

    /** Samples that any part was trained on are not held out of the whole. */
    @Test
    void aMeanClaimsNoMoreThanHoldsForAllItsParts() {
        ModelCard a = model("a", "validation", "5000", "train_samples", "100").origin();
        ModelCard b = model("b", "validation", "1000", "train_samples", "200", "init", "2000")
                .origin();
        ModelCard joint = ModelCard.joint(List.of(a, b), "soup");
        assertEquals(1000, joint.validation());
        assertEquals(0, joint.trainSamples());
        assertEquals("1000+2000", joint.init());
        assertEquals("soup", joint.method());
        assertEquals(5000, ModelCard.joint(List.of(a, a), "soup").validation());
        assertEquals(100, ModelCard.joint(List.of(a, a), "soup").trainSamples());
        ModelCard silent = model("c").origin();
        assertEquals(0, ModelCard.joint(List.of(a, silent), "soup").validation());
    }

    @Test
    void otherNetsAndOtherDataSetsAreRefused() {
        for (String key : List.of("model", "dataset")) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> Mergeability.requireSameNet(List.of(model("a"), model("b", key, "another"))));
            assertTrue(e.getMessage().contains("another"), e.getMessage());
        }
    }

    @Test
    void aHeaderSurvivesTheRoundTrip() {
        ModelCard p = new ModelCard(
                "mlp",
                "mnist",
                "swa",
                "7",
                2,
                new float[] {0.1f, 0.2f},
                new float[] {1, 1e-3f},
                50,
                60,
                0.25,
                70,
                1,
                true,
                "");
        assertEquals(p, ModelCard.of("file", p.header()));
        assertEquals(p.mean()[1], ModelCard.of("file", p.header()).mean()[1]);
    }

    @Test
    void aHeaderWithoutNetOrWithNumbersThatAreNoneIsRefused() {
        assertThrows(FormatException.class, () -> ModelCard.of("f", Map.of("dataset", "mnist")));
        FormatException e = assertThrows(
                FormatException.class,
                () -> ModelCard.of("f", Map.of("dataset", "mnist", "model", "mlp", "mean", "[0.1, \"x\"]")));
        assertTrue(e.getMessage().contains("f"), e.getMessage());
        for (String key : List.of("validation", "train_samples", "batch", "pad", "restarts")) {
            for (String value : List.of("-1", "many", "99999999999")) {
                FormatException bad = assertThrows(
                        FormatException.class,
                        () -> ModelCard.of("f", Map.of("dataset", "mnist", "model", "mlp", key, value)));
                assertTrue(bad.getMessage().contains(value), bad.getMessage());
            }
        }
    }
}
