package io.basin.compare;

import io.basin.Api;
import io.basin.data.OwnData;
import io.basin.device.Device;
import io.basin.ensemble.NamesOfTraining;
import io.basin.io.FormatException;
import io.basin.io.Notices;
import io.basin.io.Safetensors;
import io.basin.io.Sha256;
import io.basin.io.Tensors;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.ModelHeader;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The net from which all runs of a comparison go on instead of first weights: a run's checkpoint, whose momentum is kept, or a
 * weights file.
 *
 * @param header the file's
 */
@Api
public record Start(Path file, Map<String, String> header) {
    /** Key of a file's header: steps in an epoch of the training that it comes from. */
    static final String EPOCH = "steps_per_epoch";

    private static final String STEP = "step";

    /** @throws FormatException where the file is damaged */
    public static Start of(Path file) {
        try (Safetensors in = Safetensors.open(Require.given("from", file))) {
            return new Start(file, Map.copyOf(in.metadata()));
        }
    }

    /** Whether another program trained it, whose epochs do not count here. */
    public boolean isImport() {
        return ModelCard.IMPORT.equals(header.get("method"));
    }

    /** Epochs that it has behind it; nothing where the file does not say. */
    public OptionalDouble epochs() {
        if (!header.containsKey(STEP) || !header.containsKey(EPOCH)) return OptionalDouble.empty();
        try {
            // A model says after which step it was collected, a checkpoint how many are done.
            long steps = Long.parseLong(header.get(STEP)) + (Checkpoint.isState(header) ? 0 : 1);
            long epoch = Long.parseLong(header.get(EPOCH));
            if (steps >= 0 && epoch > 0) return OptionalDouble.of((double) steps / epoch);
            throw new FormatException(
                    file.toString(),
                    "says that it has " + steps + " steps behind it, of " + epoch + " an epoch: it is damaged");
        } catch (NumberFormatException e) {
            throw new FormatException(file.toString(), "its step is not a number: it is damaged, name another file", e);
        }
    }

    /** @throws IllegalArgumentException where it is of another net, or was trained on other samples */
    public void requireFits(Settings settings, Splits splits) {
        ModelCard card = ModelCard.of(file.toString(), header);
        requireSame("net", card.model(), settings.model());
        // The splits' name is that of a part where only a part is trained on.
        if (!card.dataset().isEmpty()
                && !OwnData.mayBeSame(card.dataset(), splits.dataset())
                && !card.dataset().equals(settings.dataset())) {
            requireSame("data set", card.dataset(), splits.dataset());
        }
        requireSize(splits);
        // A net that was imported without data has classes without meaning.
        if (!card.dataset().isEmpty()) NamesOfTraining.require(said(), splits.dataset(), splits.testSet());
        if (!card.data().isEmpty()) requireSame("data", card.data(), splits.fingerprint());
        if (card.mean().length == 0) return;
        if (!card.method().equals(ModelCard.IMPORT)
                && card.labelNoise() != settings.data().labelNoise()) {
            throw new IllegalArgumentException("`from`: " + file + " was trained with a share of " + card.labelNoise()
                    + " wrong labels, and this run with " + settings.data().labelNoise()
                    + ": repeat `labelNoise` of its run");
        }
        if (card.augmentation().plain().equals(splits.augmentation().plain())) return;
        if (card.method().equals(ModelCard.IMPORT)) {
            Notices.once(file + " was trained elsewhere on samples normalised otherwise; here they are by mean and"
                    + " deviation of the training set");
        } else {
            throw new IllegalArgumentException("`from`: " + file
                    + " was trained on other samples: repeat `trainSamples` and `validation` of its run");
        }
    }

    private ModelHeader said() {
        return new ModelHeader(file, header);
    }

    /** As many classes and channels; rows and columns of pixels are the net's affair. */
    private void requireSize(Splits splits) {
        int here = splits.testSet().outputs();
        int there = said().outputs(here);
        if (there != here) {
            throw new IllegalArgumentException("`from`: " + file + " predicts " + there + " classes, and "
                    + splits.dataset() + " has " + here + ": name a file of as many, or give the net a last layer for"
                    + " them with 'basin import `newHead`' and the original weights");
        }
        int channels = splits.sample().dim(0);
        int taken = said().channels(channels);
        if (taken == channels) return;
        throw new IllegalArgumentException("`from`: " + file + " takes samples of " + taken
                + (taken == 1 ? " channel" : " channels") + ", and those of " + splits.dataset() + " have " + channels
                + (taken == 1 ? ": read pictures as grey ones with `grey`" : ": leave `grey` out")
                + " where they are a folder, or name weights for as many channels");
    }

    /**
     * That a weights file can be loaded; of a checkpoint, which Basin alone writes, that no value is broken.
     *
     * @throws FormatException naming the file and its tensor that is not finite, missing or of another net
     */
    public void requireLoadable(Device device, Graph net) {
        if (Checkpoint.isState(header)) {
            try (Safetensors in = Safetensors.open(file)) {
                in.tensors().keySet().forEach(name -> Tensors.weights(file, in, name));
            }
            return;
        }
        try (Model model = new Model(device, net)) {
            model.load(file);
        }
    }

    private void requireSame(String what, String there, String here) {
        if (there.equals(here)) return;
        throw new IllegalArgumentException("`from`: " + file + " is of the " + what + " " + there + ", and this run of "
                + here + ": name a file of that, or change the flags");
    }

    /** The initialisation that it comes from; empty where it does not say. */
    String init() {
        return header.getOrDefault("init", "");
    }

    /** Identifies its content. */
    public String identity() {
        return Sha256.of(file).substring(0, 16);
    }
}
