package io.basin.cli;

import io.basin.compare.Options;
import io.basin.compare.RobustnessEval;
import io.basin.data.Corruption;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The flags that ask models about images which are not the test set's. */
final class ProbeOptions {
    @Option(
            names = "--corruptions",
            description = "measure on the test set with noise, blur and shifts at five strengths too")
    boolean corruptions;

    @Option(
            names = "--ood",
            paramLabel = "SET",
            description = "tell test images from images of no class by their confidence: 'noise', or another data set")
    String outside;

    /** Adds what these flags ask for; loads the other data set, which must have images of the same size. */
    Options add(Options options, Dataset like, Progress progress) {
        return options.probing(corruptions, outside(like, progress));
    }

    Dataset outside(Dataset like, Progress progress) {
        if (outside == null) return null;
        if (outside.equals("noise")) return Corruption.uniform(like, RobustnessEval.SEED);
        Dataset other = DataSets.load(outside, (Path) null, progress).test();
        if (other.height() != like.height() || other.width() != like.width() || other.channels() != like.channels()) {
            throw new IllegalArgumentException("--ood: images of " + outside + " are " + size(other)
                    + ", the nets take " + size(like) + "; name a set of that size, or 'noise'");
        }
        return unlabelled(other, like);
    }

    /** Its labels name no class of ours. */
    private Dataset unlabelled(Dataset other, Dataset like) {
        return new Dataset(
                outside,
                other.pixels(),
                new int[other.count()],
                other.height(),
                other.width(),
                other.channels(),
                like.classNames());
    }

    private static String size(Dataset set) {
        return set.height() + " x " + set.width() + " x " + set.channels();
    }
}
