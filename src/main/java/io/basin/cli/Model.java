package io.basin.cli;

import io.basin.compare.Material;
import io.basin.data.Augmentation;
import io.basin.data.DataSets;
import io.basin.data.ImageSet;
import io.basin.data.Progress;
import io.basin.data.Split;
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
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A weights file together with the net and the data set that its header names. */
record Model(Path file, String net, String dataset) {
    static Model of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            String net = named(in.metadata(), "model");
            String dataset = named(in.metadata(), "dataset");
            if (net == null || dataset == null) {
                throw new FormatException(
                        file.toString(), "does not say which net it is; name a file that 'train' or 'compare' wrote");
            }
            return new Model(file, net, dataset);
        }
    }

    /** What a file's header says under {@code name}, or in the description of the run that it is a member of; else null. */
    static String named(Map<String, String> header, String name) {
        if (header.containsKey(name)) return header.get(name);
        Matcher said = Pattern.compile("(?:^|[\\[ ])" + name + "=([^,\\]]*)").matcher(header.getOrDefault("run", ""));
        return said.find() ? said.group(1) : null;
    }

    /** Normalised as the training part was. */
    static Augmentation normalisation(TrainTest data) {
        ImageSet train = Split.stratified(
                        data.train(), Math.min(5000, data.train().count() / 10), 20180314)
                .train();
        return Augmentation.of(train, 0, false);
    }

    TrainTest data(Path dir) {
        return DataSets.load(dataset, dir, Progress.NONE);
    }

    /** Class probabilities of all images, (N, K), and what they add up to. */
    Control.Totals run(Device device, ImageSet set, Augmentation norm, Evaluator.Sink sink) {
        Graph graph =
                Nets.build(net, io.basin.device.Shape.of(set.channels(), set.height(), set.width()), set.classes());
        int batch = Math.min(128, set.count());
        Spec.Batch spec = new Spec.Batch(batch, 0, false, norm.mean(), norm.std(), 0, false);
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
