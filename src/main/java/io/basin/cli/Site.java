package io.basin.cli;

import io.basin.compare.Material;
import io.basin.device.Device;
import io.basin.geometry.Net;
import io.basin.geometry.Terrain;
import io.basin.graph.Graph;
import io.basin.nn.Nets;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where landscapes are measured: nets of one model, and their data on a device. */
record Site(Model model, List<Net> nets, Device device, Material material, Terrain terrain, Graph graph)
        implements AutoCloseable {
    static Site open(LandscapeOptions options, Model model, Settings settings, List<Path> files, Bars bars) {
        Terrain.Sampling sampling = options.sampling();
        List<Net> nets = LandscapeOptions.label(files);
        LandscapeOptions.requireApart(nets);
        Device device = options.on.open();
        Material material = null;
        try {
            material = options.material(device, model, settings, bars);
            Graph graph = Nets.build(
                    model.net(), material.train().sample(), material.testSet().classes());
            return new Site(model, nets, device, material, new Terrain(device, material, sampling), graph);
        } catch (RuntimeException e) {
            if (material != null) material.close();
            device.close();
            throw e;
        }
    }

    /** Which loss every picture draws. */
    static final String LOSS =
            "Losses are cross-entropy without weight decay, of images that are not augmented and labels not smoothed.";

    /** How pictures along filter-normalised directions differ from the paper's. */
    static final String STATISTICS =
            "Where the net has batch norm, its statistics are measured anew at every point; Li et al. (2018), whose filter"
                    + " normalisation this is, keep the net's own.";

    /** What a report says of it, before what the command adds. */
    Map<String, String> facts(Configuration configuration) {
        Map<String, String> facts = new LinkedHashMap<>();
        for (Net net : nets) facts.put(net.label(), net.file().toString());
        facts.put("net", model.net() + " on " + model.dataset());
        facts.put("device", configuration.mixed());
        return facts;
    }

    @Override
    public void close() {
        terrain.close();
        material.close();
        device.close();
    }
}
