package io.basin.cli;

import io.basin.compare.Material;
import io.basin.data.Augmentation;
import io.basin.data.DataSets;
import io.basin.data.ImageSet;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A weights file together with the net, the data set and the normalisation that its header names. */
record Model(Path file, String net, String dataset, Augmentation normalisation) {
    static Model of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, String> m = in.metadata();
            if (!m.keySet().containsAll(List.of("model", "dataset", "mean", "std"))) {
                throw new FormatException(
                        file.toString(), "does not say which net it is; name a file that 'train' or 'compare' wrote");
            }
            float[] mean = Json.floats(m.get("mean"), file + ": mean");
            float[] std = Json.floats(m.get("std"), file + ": std");
            try {
                return new Model(file, m.get("model"), m.get("dataset"), new Augmentation(0, false, mean, std));
            } catch (IllegalArgumentException e) {
                throw new FormatException(file.toString(), "its normalisation is damaged: " + e.getMessage(), e);
            }
        }
    }

    TrainTest data(Path dir) {
        return DataSets.load(dataset, dir, Progress.NONE);
    }

    /** Class probabilities of all images, (N, K), and what they add up to. */
    Control.Totals run(Device device, ImageSet set, Evaluator.Sink sink) {
        Graph graph =
                Nets.build(net, io.basin.device.Shape.of(set.channels(), set.height(), set.width()), set.classes());
        int batch = Math.min(128, set.count());
        Spec.Batch spec = new Spec.Batch(batch, 0, false, normalisation.mean(), normalisation.std(), 0, false);
        try (Images images = Material.upload(device, set);
                Storage storage = new Storage(true);
                Evaluator evaluator = new Evaluator(device, graph, storage, images, spec, Precision.FP32)) {
            Weights live = storage.live();
            Checkpoint.loadModel(file, device, storage, live);
            evaluator.predict(List.of(live), sink);
            return evaluator.evaluate(live);
        }
    }
}
