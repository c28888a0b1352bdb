package io.basin.examples;

import io.basin.compare.Comparison;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.Method.Product;
import io.basin.methods.Methods;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A net and a method of one's own beside published ones, over seeds, with paired statistics. The argument is the run's folder. */
public final class OwnComparison {
    public static void main(String[] args) throws Exception {
        try (Device device = Devices.best();
                Splits data = Small.splits(device)) {
            Budget budget = new Budget(4, 0.05);
            Method sgd = Methods.sgd().plan(budget, data.stepsPerEpoch());
            Method swa = Methods.swa(0.5, 0.02).plan(budget, data.stepsPerEpoch());
            double[] alpha = new double[sgd.schedule().steps()];
            for (int t = alpha.length / 2; t < alpha.length; t++) alpha[t] = 1.0 / (t - alpha.length / 2 + 1);
            Method mine = new Method("mine", sgd.schedule(), Averaging.of(alpha), Product.AVERAGE);
            Path folder = Files.createDirectories(Path.of(args[0]));
            Summary summary = new Comparison(
                            data, Small.settings(), Small::net, List.of(sgd, swa, mine), new long[] {1, 2, 3}, folder)
                    .run("made-up images, a net of my own", Map.of());
            System.out.print(new ResultTable(summary).text());
        }
    }
}
