package io.basin.exchange;

import io.basin.data.OwnData;
import io.basin.device.Loss;
import io.basin.device.Shape;
import io.basin.ensemble.NamesOfTraining;
import io.basin.io.AtomicFile;
import io.basin.io.Json;
import io.basin.train.ModelHeader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Nets as one ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): images in, normalised inside the graph,
 * predictions out. Of several nets these are the mean of theirs, as an ensemble's are.
 *
 * <p>Input {@code images}, float32 (batch, C, H, W), of pixels divided by 255, or of raw numbers where the net was trained on such; output {@code probabilities}, float32 (batch,
 * classes), or {@code predictions} where the nets do not classify; of a single net {@code logits} beside it. The model's metadata
 * name the classes and say how images are read.
 */
public final class Onnx {
    /** The version of ONNX's operators that is written. */
    public static final int OPSET = 17;

    /** Of the file format that came with these operators. */
    private static final int IR_VERSION = 8;

    private static final String IMAGES = "images";
    private static final String LOGITS = "logits";
    private static final List<String> PROVENANCE = List.of("model", "dataset", "method", "mean", "std");

    private Onnx() {}

    public static void write(Path file, List<TrainedNet> nets) {
        nets.forEach(n -> requireAlike(nets.get(0), n));
        Protobuf opset = new Protobuf().put(1, "").put(2, OPSET);
        Protobuf model = new Protobuf()
                .put(1, IR_VERSION)
                .put(2, "basin")
                .put(7, graph(nets))
                .put(8, opset);
        metadata(nets)
                .forEach(
                        (key, value) -> model.put(14, new Protobuf().put(1, key).put(2, value)));
        AtomicFile.write(file, channel -> model.writeTo(file.toString(), channel));
    }

    private static void requireAlike(TrainedNet a, TrainedNet b) {
        boolean alike = a.input().equals(b.input())
                && a.output().shape().equals(b.output().shape())
                && kind(a).equals(kind(b))
                && a.said().loss().equals(b.said().loss());
        NamesOfTraining.requireSame(a.said(), b.said(), ModelHeader::columns);
        if (alike) return;
        throw new IllegalArgumentException(a.said().file() + " and " + b.said().file()
                + " have no mean of predictions: their samples, classes or losses differ; export them one by one");
    }

    private static Protobuf graph(List<TrainedNet> nets) {
        OnnxGraph graph = new OnnxGraph();
        TrainedNet first = nets.get(0);
        Shape outputs = first.output().shape();
        Loss loss = first.said().loss();
        String function = loss.labels() ? "Softmax" : loss instanceof Loss.BinaryCrossEntropy ? "Sigmoid" : "Identity";
        String predictions = loss.labels() ? "probabilities" : "predictions";
        graph.input(IMAGES, first.input());
        graph.output(predictions, outputs);
        if (nets.size() == 1) {
            String last = graph.add(first, IMAGES, "");
            graph.node("Identity", List.of(last), LOGITS);
            graph.node(function, List.of(last), predictions);
            graph.output(LOGITS, outputs);
            return graph.named("net");
        }
        List<String> members = new ArrayList<>();
        for (TrainedNet net : nets) {
            String prefix = "member" + (members.size() + 1) + ".";
            members.add(graph.node(function, List.of(graph.add(net, IMAGES, prefix)), "/" + prefix + predictions));
        }
        graph.node("Mean", members, predictions);
        return graph.named("ensemble");
    }

    private static String input(List<TrainedNet> nets, List<String> columns) {
        TrainedNet first = nets.get(0);
        boolean normalised = nets.stream().allMatch(n -> n.said().reading() != null);
        String sizes = first.input().dims().stream().map(String::valueOf).collect(Collectors.joining(", "));
        String what = switch (kind(first)) {
            case ModelHeader.PIXELS -> "pixels divided by 255";
            case ModelHeader.NUMBERS -> "raw numbers";
            default -> "pixels divided by 255 where the net was trained on uint8, else raw numbers";
        };
        return "float32 (batch, " + sizes + "), " + what
                + (columns.isEmpty() ? "" : ", of the columns " + String.join(", ", columns) + " in this order") + "; "
                + (normalised
                        ? "the graph normalises them"
                        : "normalise them as in training, of which the weights file says nothing");
    }

    /** As {@link ModelHeader#SAMPLES}; empty where neither the file nor the kind of its data says it, as of older files of arrays. */
    private static String kind(TrainedNet net) {
        Map<String, String> header = net.said().header();
        String said = header.getOrDefault(ModelHeader.SAMPLES, "");
        String dataset = header.getOrDefault("dataset", "");
        if (!said.isEmpty() || dataset.isEmpty()) return said;
        if (!OwnData.isNamed(dataset) || OwnData.of(dataset).isPictures()) return ModelHeader.PIXELS;
        return OwnData.of(dataset).isTable() ? ModelHeader.NUMBERS : "";
    }

    /** Of the table that the net was trained on; empty where an older file's table has others now. */
    private static List<String> columns(TrainedNet net) {
        List<String> columns = net.said().columns(null);
        return columns.size() == net.input().elements() ? columns : List.of();
    }

    private static Map<String, String> metadata(List<TrainedNet> nets) {
        Map<String, String> all = new LinkedHashMap<>();
        TrainedNet first = nets.get(0);
        List<String> columns = columns(first);
        all.put("input", input(nets, columns));
        if (!columns.isEmpty()) all.put("columns", Json.line(columns));
        all.put("classes", Json.line(first.said().classNames()));
        all.put("members", Integer.toString(nets.size()));
        for (String key : PROVENANCE) {
            List<String> said = nets.stream()
                    .map(n -> n.said().header().getOrDefault(key, ""))
                    .distinct()
                    .toList();
            if (!said.equals(List.of(""))) all.put(key, String.join(" ", said));
        }
        return all;
    }
}
