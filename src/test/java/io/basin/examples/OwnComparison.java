package io.basin.examples;

import io.basin.compare.Comparison;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.landscape.Connection;
import io.basin.landscape.Curve;
import io.basin.landscape.CurveTraining.CurveConfig;
import io.basin.landscape.LandscapeData;
import io.basin.landscape.LossAndError;
import io.basin.landscape.Net;
import io.basin.landscape.Rays;
import io.basin.landscape.Surface;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import io.basin.report.ResultTable;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A net and a method of one's own beside a published one, over seeds, with paired statistics; then the curve between two of the
 * nets, the plane through three and rays from each. The argument is the run's folder.
 */
public final class OwnComparison {
    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        Settings how = Small.settings();
        try (Device device = Devices.best();
                Splits data = Small.splits(device);
                LandscapeData land = new LandscapeData(data, how, Small.net())) {
            Method swa = Methods.swa(0.5, 0.02).plan(new Budget(4, 0.05), data.stepsPerEpoch());
            Method mine = new Method("mine", swa.schedule(), Averaging.tail(32, 8), Method.Product.AVERAGE);
            var runs = new Comparison(data, how, Small::net, List.of(swa, mine), new long[] {1, 2, 3}, folder);
            System.out.print(new ResultTable(runs.run("made-up images, a net of my own", Map.of())).text());
            List<Net> nets = Net.trained(folder, "mine", 1, 2, 3);
            var bezier = new CurveConfig(Curve.BEZIER, 1, Schedule.sgdPaper(80, 0.05), how, 1, data.augmentation());
            var path = new Connection(land, bezier, folder, Progress.NONE).run(nets.get(0), nets.get(1), 11);
            var plane = new Surface(land, new Surface.Grid(5), folder, Progress.NONE).run(nets, List.of(), null);
            var rays = new Rays(land, new Rays.Config(2, 4), folder, Progress.NONE).run(nets, List.of());
            System.out.println("arc " + path.curve().of(LossAndError::trainLoss).max());
            System.out.println("corner " + plane.cells()[0][0].trainLoss());
            System.out.println("width " + rays.bundles().get(0).width(0.05));
        }
    }
}
