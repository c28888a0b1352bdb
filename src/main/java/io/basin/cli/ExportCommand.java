package io.basin.cli;

import io.basin.exchange.Npz;
import io.basin.exchange.Onnx;
import io.basin.exchange.TrainedNet;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description =
                "Writes weights files for other programs: ONNX, PyTorch's state dict in safetensors, or NumPy's npz.",
        footer = {
            "",
            "ONNX: input 'images', float32 (batch, C, H, W) of pixels divided by 255, or of the raw numbers of a table or"
                    + " an array of floats, which the graph normalises; output"
                    + " 'probabilities', of one net 'logits' too; opset " + Onnx.OPSET
                    + "; class names in the metadata. Several files become one graph, the mean of their probabilities.",
            "",
            "Examples:",
            "  basin export runs/swa/seed-1/swa/swa.safetensors",
            "  basin export runs/fge/seed-1/fge/member-*.safetensors --fold-bn --out fge.onnx",
            "  basin export swa.safetensors --format npz --out swa.npz"
        })
final class ExportCommand implements Runnable {
    /** Of the file that is written. */
    enum Format {
        ONNX("", ".onnx"),
        SAFETENSORS("-pytorch", ".safetensors"),
        NPZ("", ".npz");

        /** Of the default name, which must not be the trained file's own. */
        private final String suffix;

        private final String ending;

        Format(String suffix, String ending) {
            this.suffix = suffix;
            this.ending = ending;
        }
    }

    @Parameters(
            paramLabel = "FILE",
            arity = "1..*",
            description = "safetensors files that train or compare wrote; several for one ONNX graph of their ensemble")
    private List<Path> files;

    @Option(
            names = "--format",
            description =
                    "onnx; safetensors, with PyTorch's names and layouts; or npz; default --out's ending, else onnx")
    private Format format;

    @Option(
            names = "--fold-bn",
            description =
                    "fold batch norms into the convolutions and dense layers before them, where nothing lies between")
    private boolean fold;

    @Option(names = "--out", description = "the file to write; default FILE's name with the format's ending")
    private Path out;

    @Override
    public void run() {
        if (format == null) format = byEnding();
        Path target =
                out != null ? out : files.get(0).resolveSibling(stem(files.get(0)) + format.suffix + format.ending);
        Outputs.requireNew("--out", target, format.ending);
        if (format != Format.ONNX && files.size() > 1) {
            throw new IllegalArgumentException("--format " + format.name().toLowerCase(Locale.ROOT)
                    + " holds one net: name one file, or make one of them with 'basin average'");
        }
        List<TrainedNet> nets = files.stream()
                .map(TrainedNet::of)
                .map(n -> fold ? n.folded() : n)
                .toList();
        switch (format) {
            case ONNX -> Onnx.write(target, nets);
            case NPZ -> Npz.write(target, nets.get(0).tensors());
            default -> write(target, nets.get(0));
        }
        System.out.println(target + ": " + said(nets));
    }

    private Format byEnding() {
        if (out == null) return Format.ONNX;
        return Arrays.stream(Format.values())
                .filter(f -> out.toString().endsWith(f.ending))
                .findFirst()
                .orElse(Format.ONNX);
    }

    private String said(List<TrainedNet> nets) {
        String what = nets.size() == 1
                ? nets.get(0).said().header().getOrDefault("model", "net")
                : "mean of the predictions of " + nets.size() + " nets";
        return what
                + (format == Format.ONNX ? ", ONNX opset " + Onnx.OPSET : "")
                + (fold ? ", batch norms folded" : "");
    }

    /** A folded file does not name its net: it lacks that one's batch norms. */
    private void write(Path target, TrainedNet net) {
        Map<String, String> header = new LinkedHashMap<>(net.said().header());
        if (fold) header.remove("model");
        SafetensorsWriter writer = Safetensors.writer().metadata(header).metadata("format", "pt");
        net.tensors().forEach((name, tensor) -> writer.add(name, tensor.shape().toLongs(), tensor.values()));
        writer.write(target);
    }

    private static String stem(Path file) {
        return file.getFileName().toString().replaceAll("\\.[^.]*$", "");
    }
}
