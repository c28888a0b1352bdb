package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.methods.Budget;
import io.basin.methods.Fge;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.Methods;
import io.basin.methods.Swa;
import io.basin.train.Settings;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class DefaultsTest {
    private static TrainingOptions parsed(String... args) {
        TrainingOptions options = new TrainingOptions();
        new CommandLine(options).parseArgs(args);
        return options;
    }

    @Test
    void theCommandLinesDefaultsAreTheUsualSettings() {
        assertEquals(
                new Settings("fashion-mnist", "mlp"), parsed("fashion-mnist").settings());
        assertEquals(new Budget(10, 0.05), parsed("fashion-mnist").budget());
        assertEquals(
                new Settings("mnist", "small-cnn"),
                parsed("mnist", "--model", "small-cnn").settings());
        assertEquals(new Budget(3, 0.05), parsed("mnist", "--epochs", "3").budget());
    }

    /** A cycle that is not named is the same in the library and at the command line, which writes it out. */
    @Test
    void everyMethodsDefaultsAreTheUsualOnes() {
        TrainingOptions options = parsed("mnist");
        for (MethodSettings usual : Methods.USUAL.all()) {
            Method asked = options.plan(List.of(usual.name()), 468).get(0);
            Method plan = usual.plan(new Budget(10, 0.05), 468);
            assertEquals(tables(plan), tables(asked), usual.name());
            if (!(usual instanceof Swa
                    || usual instanceof Fge
                    || plan.identity().contains("cycle=")))
                assertEquals(usual, asked.origin().settings());
        }
    }

    private static String tables(Method method) {
        return method.identity().replaceAll(".*runs=", "");
    }
}
