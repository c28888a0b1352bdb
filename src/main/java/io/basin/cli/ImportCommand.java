package io.basin.cli;

import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.device.Augmentation;
import io.basin.device.Loss;
import io.basin.exchange.Imported;
import io.basin.exchange.Names;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.text.Require;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.ModelHeader;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description =
                "Takes a state dict of PyTorch as weights of a net here, which evaluate, train --from, connect and all"
                        + " others then read.",
        footer = {
            "",
            "FILE is a safetensors file, the index of several (model.safetensors.index.json), or what torch.save wrote since"
                    + " PyTorch 1.6, of which only tensors are read: nothing in it is run. Tensors are matched by name;"
                    + " num_batches_tracked is ignored.",
            "",
            "Examples:",
            "  basin import net.pth --model small-cnn --data fashion-mnist --out net.safetensors",
            "  basin import resnet18-f370.pth --model resnet18 --data cifar10 --new-head --out resnet.safetensors",
            "  basin import vgg16-5d3c.pth --model vgg16 --data cifar10 --new-head classifier --out vgg.safetensors",
            "  basin import resnet18-f370.pth --model resnet18 --data DIR --image-size 224 --new-head --out own.safetensors",
            "  basin import net.pth --model preresnet20 --data cifar10 --names names.txt --out net.safetensors",
            "  basin import resnet18-f370.pth --model resnet18 --num-classes 10 --new-head --out ten.safetensors",
            "",
            "Without --data the net takes pictures of --image-size, in colour unless --mean is one number; predict and export know"
                    + " all that they need, train --from and compare --from go on with it, and evaluate has nothing to measure it on."
        })
final class ImportCommand implements Runnable {
    @Parameters(paramLabel = "FILE", description = "safetensors file, index of several, or PyTorch's checkpoint")
    private Path file;

    @Option(
            names = "--model",
            required = true,
            completionCandidates = Known.Nets.class,
            description =
                    "one of ${COMPLETION-CANDIDATES}, of their families such as vgg13-bn and wrn-16-4, or the class of a net of your own")
    private String model;

    @Option(
            names = "--data",
            paramLabel = "DATASET",
            completionCandidates = Known.Sets.class,
            description =
                    "what the net will see: ${COMPLETION-CANDIDATES}, or data of your own as 'train' takes them: a folder of"
                            + " pictures with one folder per class, a table or NumPy's arrays; default none, then --num-classes"
                            + " says what it predicts")
    private String dataset;

    @Option(
            names = "--image-size",
            description =
                    "height and width that a folder's pictures are scaled and cut to, as 64; default 32 with --data,"
                            + " 224 without")
    private Integer imageSize;

    @Option(names = "--data-dir", description = Flags.DATA_DIR)
    private Path dataDir;

    @Option(
            names = "--num-classes",
            description = "what the net predicts without --data; with --data as many as it has; default those")
    private Integer classes;

    @Option(
            names = "--class-names",
            paramLabel = "FILE",
            description = "without --data: one name a line, in the order of the classes; default 0, 1, ...")
    private Path classNames;

    @Option(
            names = "--names",
            paramLabel = "LIST",
            description = "file of lines old=new, of tensors or whole layers; default the file's names are ours")
    private Path names;

    @Option(
            names = "--new-head",
            paramLabel = "LAYER",
            arity = "0..1",
            fallbackValue = LAST,
            description =
                    "draw this layer, or all whose names begin so, anew; without a name the last one; default none")
    private String newHead;

    @Option(names = "--seed", defaultValue = "1", description = "of what is drawn anew")
    private long seed;

    @Option(
            names = "--mean",
            split = ",",
            description =
                    "of each channel of what the net was trained on, scaled to 0..1; default the training set's, without"
                            + " --data those of torchvision's weights, 0.485,0.456,0.406")
    private List<Double> mean;

    @Option(
            names = "--std",
            split = ",",
            description =
                    "deviation of each channel, likewise; default the training set's, without --data 0.229,0.224,0.225")
    private List<Double> std;

    @Option(names = "--extra-tensors", description = "ignore weights in the file that the net does not have")
    private boolean extra;

    @Option(names = "--out", required = true, description = "the weights file to write")
    private Path out;

    private static final String LAST = "the last layer";
    /** The training data of torchvision's weights: https://pytorch.org/vision/stable/models.html. */
    private static final int USUAL_SIZE = 224;

    private static final List<Double> TORCHVISION_MEAN = List.of(0.485, 0.456, 0.406);
    private static final List<Double> TORCHVISION_STD = List.of(0.229, 0.224, 0.225);

    @Override
    public void run() {
        Outputs.requireNew("--out", out, ".safetensors");
        Nets.known(model);
        if ((mean == null) != (std == null)) {
            throw new IllegalArgumentException("--mean and --std belong together: name both, or neither");
        }
        Names renamed = names == null ? Names.SAME : Names.read(names);
        Target target = dataset == null ? unseen() : seen(dataset);
        Graph net = net(target);
        String last = net.nodes().get(net.nodes().size() - 1).path();
        Imported from = new Imported(file, net, renamed, LAST.equals(newHead) ? last : newHead, seed, extra);
        Imported.Outcome outcome = from.write(out, header(net, target));
        System.out.println(out + ": " + model + " for " + target.what + ", " + outcome.taken() + " tensors of " + file
                + (outcome.fresh() > 0 ? ", " + outcome.fresh() + " drawn anew by seed " + seed : ""));
    }

    /** What the net will see: of a data set, whose name is empty where there is none, and in words. */
    private record Target(Dataset like, String dataset, String what) {}

    private Target seen(String named) {
        if (classNames != null) {
            throw new IllegalArgumentException(
                    "--class-names goes without --data, which name their classes: leave one out");
        }
        String set = imageSize == null ? named : sized(named, imageSize);
        Dataset like = DataSets.load(set, dataDir, new Bars().progress()).train();
        if (classes != null && classes != like.outputs()) {
            throw new IllegalArgumentException("--num-classes " + classes + ": " + set + " has " + like.outputs()
                    + " classes; leave it out, or name other --data");
        }
        return new Target(like, set, set);
    }

    /** One picture of zeros, of the size and with the classes that were asked for. */
    private Target unseen() {
        if (classes == null) {
            throw new IllegalArgumentException(
                    "--data is missing: name what the net will see, a data set or data of your own,"
                            + " or say with --num-classes what it predicts");
        }
        List<String> called = classNames != null
                ? OwnData.names(classNames)
                : IntStream.range(0, classes).mapToObj(Integer::toString).toList();
        if (classes < 2)
            throw new IllegalArgumentException("--num-classes " + classes + ": a net tells at least 2 classes apart");
        if (dataDir != null) throw new IllegalArgumentException("--data-dir says where --data lie: name those too");
        if (mean == null) {
            mean = TORCHVISION_MEAN;
            std = TORCHVISION_STD;
        }
        if (!mean.isEmpty() && mean.size() != 1 && mean.size() != TORCHVISION_MEAN.size()) {
            throw new IllegalArgumentException("--mean: " + mean.size()
                    + " numbers; without --data a net takes pictures: one number for grey ones, three for colour");
        }
        std.stream().filter(s -> s > 1).findFirst().ifPresent(s -> {
            throw new IllegalArgumentException("--std: pictures are scaled to 0..1, so it is at most 1, got " + s
                    + ": divide what was given for 0..255 by 255");
        });
        if (called.size() != classes) {
            throw new IllegalArgumentException(
                    "--class-names: " + classNames + " has " + called.size() + " names for --num-classes " + classes);
        }
        int size = imageSize == null ? USUAL_SIZE : imageSize;
        int channels = mean.isEmpty() ? 1 : mean.size();
        byte[] blank = new byte[Math.multiplyExact(channels, size * size)];
        Dataset like = new Dataset(file.toString(), blank, new int[1], size, size, channels, called);
        return new Target(like, "", classes + " classes of pictures of " + like.sample());
    }

    private static String sized(String named, int size) {
        if (!OwnData.isNamed(named) || !OwnData.of(named).isPictures()) {
            throw new IllegalArgumentException(
                    "--image-size is for --data that are a folder of pictures: leave it out");
        }
        OwnData plain = OwnData.of(named);
        return new OwnData(plain.path(), size, plain.grey(), plain.skipBad(), plain.classNames()).toString();
    }

    private Graph net(Target target) {
        Dataset like = target.like;
        Graph net = Nets.build(model, like.sample(), like.outputs());
        if (net.input().shape().equals(like.sample()) && net.output().shape().elements() == like.outputs()) return net;
        throw new IllegalArgumentException(
                "--model: " + model + " takes " + net.input().shape() + " and predicts "
                        + net.output().shape().elements() + " classes, and what it will see are samples "
                        + like.sample() + " of " + like.outputs()
                        + ": name --data that fit, or --image-size and --num-classes");
    }

    private Augmentation reading(Dataset like) {
        if (mean == null || std == null) return like.augmentation(0, false);
        float[] means = each("--mean", mean, like);
        float[] deviations = each("--std", std, like);
        std.stream().filter(s -> !(s > 0)).findFirst().ifPresent(s -> {
            throw new IllegalArgumentException("--std: samples are divided by it, so each must be above 0, got " + s);
        });
        return Require.naming("mean", () -> like.normalised(means, deviations).augmentation(0, false));
    }

    private static float[] each(String flag, List<Double> given, Dataset like) {
        float[] all = new float[given.size()];
        for (int i = 0; i < all.length; i++) all[i] = given.get(i).floatValue();
        if (all.length == like.channels()) return all;
        throw new IllegalArgumentException(
                flag + ": has " + all.length + " numbers, and samples have " + like.channels()
                        + (like.channels() == 1 ? " channel" : " channels")
                        + ": give one number for each channel, parted by commas and without blanks");
    }

    private Map<String, String> header(Graph net, Target target) {
        Dataset like = target.like;
        Augmentation reading = reading(like);
        ModelCard card = new ModelCard(
                net.source(),
                target.dataset,
                ModelCard.IMPORT,
                "",
                0,
                reading.mean(),
                reading.std(),
                0,
                0,
                0,
                Model.BATCH,
                0,
                false,
                "");
        Map<String, String> header = new LinkedHashMap<>(card.header());
        header.putAll(ModelHeader.of(net, Loss.crossEntropy(0), like.classNames()));
        header.putAll(ModelHeader.samples(like));
        return header;
    }
}
