package io.basin.examples;

import io.basin.compare.MethodRun;
import io.basin.compare.Probabilities;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.Methods;
import io.basin.train.Splits;
import java.util.List;

/** Fast geometric and snapshot ensembles of a net of one's own, and what each says of images. */
public final class OwnEnsembles {
    public static void main(String[] args) {
        try (Device device = Devices.best();
                Splits data = Small.splits(device)) {
            for (MethodSettings how : List.of(Methods.fge(0.5, 0.05, 0.005), Methods.snapshot(3, 0.1))) {
                Method method = how.plan(new Budget(6, 0.05), data.stepsPerEpoch());
                MethodRun run = new MethodRun(data, Small.net(), method, Small.settings());
                Probabilities p = run.predict(1, data.testSet());
                int models = method.schedule().collections().length;
                System.out.printf("%s: %d models, class %d%n", how.name(), models, p.choices()[0]);
            }
        }
    }
}
