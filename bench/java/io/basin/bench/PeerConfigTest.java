package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerConfigTest {
    @ParameterizedTest
    @ValueSource(strings = {"mlp", "smallcnn", "step"})
    void settingsReadBackFromTheTextTheTunerPrints(String name) {
        PeerConfig config = PeerConfig.first(new Contest(name)).with("wait", "passive");
        assertEquals(config, PeerConfig.parse(config.toString()));
    }

    @Test
    void theLibtorchOfTheProjectLeavesTheClassPathAsItIs() {
        PeerConfig config = PeerConfig.parse("wait=active malloc=glibc route=FUSED libtorch=shipped");
        String path = "/m2/pytorch-2.10.jar:/m2/openblas-0.3.jar";
        assertEquals(path, config.classPath(path));
    }

    @Test
    void onlyTheMlpGetsBlasThreadsBesideOpenMps() {
        Contest mlp = new Contest("mlp");
        Contest cnn = new Contest("smallcnn");
        assertEquals("1", PeerConfig.first(cnn).environment(cnn).get("OPENBLAS_NUM_THREADS"));
        assertEquals("" + Nets.threads(), PeerConfig.first(mlp).environment(mlp).get("OPENBLAS_NUM_THREADS"));
        assertTrue(PeerConfig.first(mlp).environment(mlp).containsKey("OMP_WAIT_POLICY"));
        assertFalse(PeerConfig.first(cnn).environment(cnn).containsKey("OMP_WAIT_POLICY"));
    }

    @Test
    void onlyChoicesOfTheBenchmarkBecomeItsParameters() {
        assertEquals(
                List.of("route=MODULE"), PeerConfig.first(new Contest("step")).parameters());
        assertEquals(
                List.of("channelsLast=true", "route=FUSED"),
                PeerConfig.first(new Contest("vgg16-bn")).parameters());
    }

    @Test
    void theMedianOfAnEvenCountLiesBetweenItsMiddles() {
        assertEquals(2.5, Statistics.median(4, 1, 2, 3));
        assertEquals(2, Statistics.median(3, 1, 2));
    }
}
