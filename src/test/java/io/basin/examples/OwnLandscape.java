package io.basin.examples;

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
import io.basin.methods.Schedule;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The curve between two nets that {@link OwnComparison} trained, the plane through three and rays from each; its folder is the argument. */
public final class OwnLandscape {
    public static void main(String[] args) throws Exception {
        Path folder = Files.createDirectories(Path.of(args[0], "landscape"));
        List<Net> nets = new ArrayList<>();
        for (String s : List.of("1", "2", "3"))
            nets.add(new Net("seed " + s, Path.of(args[0], "seed-" + s, "swa", "swa.safetensors")));
        try (Device device = Devices.best();
                Splits data = Small.splits(device);
                LandscapeData land = new LandscapeData(data, Small.settings(), Small.net())) {
            Schedule rates = Schedule.sgdPaper(80, 0.05);
            var bezier = new CurveConfig(Curve.BEZIER, 1, rates, Small.settings(), 1, data.augmentation());
            var path = new Connection(land, bezier, folder, Progress.NONE).run(nets.get(0), nets.get(1), 11);
            var plane = new Surface(land, new Surface.Grid(5), folder, Progress.NONE).run(nets, List.of(), null);
            var rays = new Rays(land, new Rays.Config(2, 4), folder, Progress.NONE).run(nets, List.of());
            System.out.println(
                    "curve " + path.curve().of(LossAndError::trainLoss).max());
            System.out.println("line " + path.line().of(LossAndError::trainLoss).max());
            System.out.println("corner " + plane.cells()[0][0].trainLoss());
            System.out.println("width " + rays.bundles().get(0).width(0.05));
        }
    }
}
