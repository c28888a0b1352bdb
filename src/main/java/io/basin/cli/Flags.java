package io.basin.cli;

import io.basin.Nullable;
import io.basin.compare.Options;
import io.basin.compare.RobustnessEval;
import io.basin.data.Catalog;
import io.basin.data.Corruption;
import io.basin.data.DataException;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.ensemble.Lenience;
import io.basin.ensemble.ModelFile;
import io.basin.text.Closest;
import io.basin.text.Printable;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Groups of flags that several commands have, each flag declared once. */
final class Flags {
    /** The description of --data-dir for all commands. */
    static final String DATA_DIR =
            "where the data set's files are; default $BASIN_DATA, else the system's folder, the cache, a download";

    private Flags() {}

    /** On what a command computes. */
    static class On {
        @TrainingOptions.Sets("device")
        @Option(
                names = "--device",
                defaultValue = "auto",
                description = "auto, or a device that 'basin doctor' lists; cuda:1 is the second GPU")
        private String name;

        /** The variable that names the device set apart for this program; empty for none. */
        private Supplier<String> given = () -> "";

        @Option(names = "--threads", defaultValue = "0", description = "threads; 0 for all cores")
        private int threads;

        int threads() {
            return threads;
        }

        /** Whether the flag leaves the choice open, or names a device of this kind. */
        boolean allows(String kind) {
            return name.equals("auto") || Devices.kind(name).equals(kind);
        }

        Device open() {
            return open(0);
        }

        /** @param usual threads where the flag does not say how many */
        Device open(int usual) {
            requireKnown();
            return Devices.open(chosen(name, given.get()), threads == 0 ? usual : threads);
        }

        /** Has a device set apart by others, asked for whenever one is opened, come before one of its kind or the best. */
        void givenBy(Supplier<String> others) {
            given = others;
        }

        static String chosen(String asked, String given) {
            boolean fits = asked.equals("auto") || Devices.kind(asked).equals(Devices.kind(given));
            return given.isEmpty() || !fits ? asked : given;
        }

        void requireKnown() {
            List<String> known = new ArrayList<>(List.of("auto"));
            Devices.providers().forEach(p -> known.add(p.name()));
            if (!known.contains(Devices.kind(name))) {
                throw new IllegalArgumentException("--device: " + Closest.unknown("device", name, known));
            }
        }
    }

    /** How batch-norm statistics are measured. */
    static final class Norms {
        @Option(
                names = "--bn-update",
                description =
                        "exact (layer by layer; deep nets take long), single (one pass), or auto: exact up to 24 batch"
                                + " norms, SWAG's samples counted one by one; keep: around one net in 'surface' and 'width',"
                                + " its own everywhere; default auto, in landscapes exact")
        private String refresh;

        @Option(names = "--bn-plain", description = "measure batch-norm statistics without augmentation")
        private boolean plain;

        /** @param otherwise what to do where the flag does not say */
        BatchNormUpdate update(String otherwise) {
            return new BatchNormUpdate(refresh == null ? otherwise : refresh, plain);
        }
    }

    /** The folder of results and the device. */
    static class Output extends On {
        @Option(
                names = "--out",
                description = "folder for results; default runs/NAME-TIME, where NAME says what was asked")
        private Path out;

        @Option(names = "--resume", description = "go on in this folder, which knows its other flags")
        Path resume;

        @Spec(Spec.Target.MIXEE)
        private CommandSpec command;

        @Option(names = "--any-device", description = "resume on another device or thread count; the bits will differ")
        boolean anyDevice;

        /** The folder to write into: new and empty, or one to resume. */
        Claim claim(String name) {
            return Claim.of(name, out, resume).announcing("basin " + command.name());
        }

        /** Values that must not change when a run of {@code command} resumes: its data and, unless a flag allows it, its device. */
        Configuration configuration(String command, Splits splits) {
            return new Configuration(
                            command, splits.fingerprint(), splits.device().describe(), anyDevice)
                    .free(
                            Resumption.KEY,
                            Resumption.words(command, this.command.commandLine().getParseResult()));
        }
    }

    /** The data and device on which trained nets are measured. */
    static class Data extends On {
        @Option(names = "--data-dir", description = DATA_DIR)
        Path dataDir;

        TrainTest data(List<ModelFile> models, Progress progress) {
            Map<Boolean, List<ModelFile>> all = models.stream()
                    .collect(Collectors.partitioningBy(m -> m.origin().dataset().isEmpty()));
            List<ModelFile> with = Objects.requireNonNull(all.get(false));
            List<ModelFile> without = Objects.requireNonNull(all.get(true));
            // Of none with data the first refuses to be measured.
            if (!with.isEmpty() && !without.isEmpty()) {
                ModelFile seen = with.get(0);
                throw new IllegalArgumentException(without.get(0) + " was imported without data, and " + seen
                        + " was trained on " + Printable.of(seen.origin().dataset())
                        + ": import it again with these, 'basin import --data', or leave it out");
            }
            return models.get(0).data(dataDir, progress);
        }

        /** Whether no flag says where a net's data are, and they are not where they are looked for. */
        boolean isAway(ModelFile model) {
            String dataset = model.origin().dataset();
            if (dataDir != null) return false;
            if (dataset.isEmpty()) return true;
            if (OwnData.isNamed(dataset))
                return !Files.exists(OwnData.of(dataset).path());
            try {
                return Catalog.names().contains(dataset)
                        && !DataSets.locate(dataset, null).present();
            } catch (DataException e) {
                return true;
            }
        }

        void with(List<ModelFile> models, TrainTest data, Consumer<Splits> work) {
            try (Device device = open();
                    Splits splits = ModelFile.splits(device, data, models)) {
                work.accept(splits);
            }
        }
    }

    /** The same, with what a user asks for that is refused otherwise. */
    static final class LenientData extends Data {
        @Option(names = "--other-data", description = "measure on other data than the nets were trained on, and say so")
        private boolean otherData;

        @Option(names = "--extra-tensors", description = "ignore weights in the files that their nets do not have")
        private boolean extraTensors;

        ModelFile forgiven(ModelFile model) {
            return model.forgiven(new Lenience(otherData, extraTensors));
        }

        /** A line of results that says so, where a model was trained on other data. */
        static void say(List<ModelFile> models, TrainTest data) {
            if (models.stream().noneMatch(m -> m.trainedOnOther(data))) return;
            System.out.println("On other data than trained on (--other-data): " + data.fingerprint());
        }
    }

    /** Flags that test models on images outside the test set. */
    static final class Probes {
        @Option(
                names = "--corruptions",
                description = "measure on the test set with noise, blur and shifts at five strengths too")
        private boolean corruptions;

        @Option(
                names = "--ood",
                paramLabel = "SET",
                description =
                        "tell test images from images of no class by their confidence: 'noise', or another data set")
        private String outside;

        /** @throws IllegalArgumentException if --ood names nothing that is known; before data are read */
        void require() {
            List<String> known = new ArrayList<>(List.of("noise"));
            known.addAll(Catalog.names());
            if (outside != null && !known.contains(outside) && !OwnData.isNamed(outside)) {
                throw new IllegalArgumentException("--ood: " + Closest.unknown("set", outside, known));
            }
        }

        /** Adds what these flags ask for; loads the other data set, which must have images of the same size. */
        Options add(Options options, Dataset like, Progress progress) {
            if (like.isFloat() && (corruptions || outside != null)) {
                throw new IllegalArgumentException(
                        "--corruptions and --ood are of pictures, and the samples of " + like.name() + " are numbers");
            }
            return options.probing(corruptions, outside(like, progress));
        }

        private @Nullable Dataset outside(Dataset like, Progress progress) {
            if (outside == null) return null;
            if (outside.equals("noise")) return Corruption.uniform(like, RobustnessEval.SEED);
            String set = outside;
            if (OwnData.isNamed(set)) {
                Path own = OwnData.of(set).path();
                set = new OwnData(own, like.height(), like.channels() == 1, false, null).toString();
            }
            Dataset other = DataSets.load(set, (Path) null, progress).test();
            if (!size(other).equals(size(like))) {
                throw new IllegalArgumentException("--ood: images of " + outside + " are " + size(other)
                        + ", the nets take " + size(like) + "; name a set of that size, or 'noise'");
            }
            // Its labels name no class of ours.
            return like.with(outside, other.pixels(), new int[other.count()]);
        }

        private static String size(Dataset set) {
            return set.height() + " x " + set.width() + " x " + set.channels();
        }
    }
}
