package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.train.Settings;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class DefaultsTest {
    private static Settings parsed(String... args) {
        TrainingOptions options = new TrainingOptions();
        new CommandLine(options).parseArgs(args);
        return options.settings();
    }

    @Test
    void theCommandLinesDefaultsAreTheStandardSettings() {
        assertEquals(Settings.standard("fashion-mnist", "mlp", 10), parsed("fashion-mnist"));
        assertEquals(
                Settings.standard("mnist", "small-cnn", 3), parsed("mnist", "--model", "small-cnn", "--epochs", "3"));
    }
}
