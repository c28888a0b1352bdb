package io.basin.cli;

import io.basin.device.Device;
import io.basin.ensemble.ModelFile;
import io.basin.landscape.Net;
import io.basin.landscape.Terrain;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where landscapes are measured: nets of one model, and their data on a device. */
record Site(ModelFile model, List<Net> nets, Device device, Splits splits, Terrain terrain, Graph graph)
        implements AutoCloseable {
    static Site open(LandscapeOptions options, ModelFile model, Settings settings, List<Path> files, Bars bars) {
        Terrain.Sampling sampling = options.sampling();
        List<Net> nets = LandscapeOptions.label(files);
        LandscapeOptions.requireApart(nets);
        Device device = options.output.open();
        Splits splits = null;
        try {
            splits = options.splits(device, model, settings, bars);
            Graph graph = Nets.build(
                    model.origin().model(),
                    splits.train().sample(),
                    splits.testSet().classes());
            return new Site(model, nets, device, splits, new Terrain(device, splits, settings, sampling), graph);
        } catch (RuntimeException e) {
            if (splits != null) splits.close();
            device.close();
            throw e;
        }
    }

    /** What a report says of it, before what the command adds. */
    Map<String, String> facts(Configuration configuration) {
        Map<String, String> facts = new LinkedHashMap<>();
        for (Net net : nets) facts.put(net.label(), net.file().toString());
        facts.put("net", model.origin().model() + " on " + model.origin().dataset());
        facts.put("device", configuration.mixed());
        return facts;
    }

    @Override
    public void close() {
        terrain.close();
        splits.close();
        device.close();
    }
}
