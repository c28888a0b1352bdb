package io.basin.data;

import io.basin.data.CatalogEntry.DataFile;
import io.basin.data.CatalogEntry.Format;
import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.text.Closest;
import java.util.ArrayList;
import java.util.List;

/**
 * The data sets that can be asked for by name.
 *
 * <p>Addresses and sums are code rather than a downloaded list: what a name means must not change under a user.
 */
public final class Catalog {
    private static final List<String> DIGITS = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

    private static final List<String> CLOTHES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    private static final List<String> CIFAR10 =
            List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

    private static final List<String> CIFAR100 =
            List.of(("apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle"
                            + " bowl boy bridge bus butterfly camel can castle caterpillar cattle"
                            + " chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur"
                            + " dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard"
                            + " lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain"
                            + " mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree"
                            + " plain plate poppy porcupine possum rabbit raccoon ray road rocket"
                            + " rose sea seal shark shrew skunk skyscraper snail snake spider"
                            + " squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor"
                            + " train trout tulip turtle wardrobe whale willow_tree wolf woman worm")
                    .split(" "));

    private static final List<String> CIFAR_MIRRORS =
            List.of("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/");

    private static final List<CatalogEntry> ENTRIES = List.of(fashionMnist(), mnist(), cifar10(), cifar100());

    private Catalog() {}

    /** The known names. */
    public static List<String> names() {
        return ENTRIES.stream().map(CatalogEntry::name).toList();
    }

    /**
     * The data set of that name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the known names and the closest of them
     */
    public static CatalogEntry find(String name) {
        return ENTRIES.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("DATASET: " + Closest.unknown("data set", name, names())));
    }

    private static CatalogEntry fashionMnist() {
        return idx(
                "fashion-mnist",
                "MIT",
                CLOTHES,
                List.of(
                        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34");
    }

    private static CatalogEntry mnist() {
        return idx(
                "mnist",
                "CC BY-SA 3.0",
                DIGITS,
                List.of("https://ossci-datasets.s3.amazonaws.com/mnist/"),
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");
    }

    private static CatalogEntry cifar10() {
        long bytes = 30_730_000;
        return new CatalogEntry(
                "cifar10",
                "not stated",
                Format.CIFAR10,
                CIFAR_MIRRORS,
                List.of(new RemoteFile(
                        "cifar-10-binary.tar.gz",
                        170_052_171,
                        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                        false)),
                files(
                        CifarFormat.CIFAR10.fileNames(),
                        List.of(bytes, bytes, bytes, bytes, bytes, bytes),
                        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
                        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
                CIFAR10);
    }

    private static CatalogEntry cifar100() {
        return new CatalogEntry(
                "cifar100",
                "not stated",
                Format.CIFAR100,
                CIFAR_MIRRORS,
                List.of(new RemoteFile(
                        "cifar-100-binary.tar.gz",
                        168_513_733,
                        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                        false)),
                files(
                        CifarFormat.CIFAR100.fileNames(),
                        List.of(153_700_000L, 30_740_000L),
                        "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
                        "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),
                CIFAR100);
    }

    /** A set with the four files, names and lengths of MNIST; sums in their order. */
    private static CatalogEntry idx(
            String name, String licence, List<String> classNames, List<String> mirrors, String... sums) {
        List<DataFile> files = files(
                List.of(
                        "train-images-idx3-ubyte",
                        "train-labels-idx1-ubyte",
                        "t10k-images-idx3-ubyte",
                        "t10k-labels-idx1-ubyte"),
                List.of(47_040_016L, 60_008L, 7_840_016L, 10_008L),
                sums);
        List<RemoteFile> downloads = files.stream()
                .map(file -> new RemoteFile(file.name() + ".gz", file.bytes(), file.sha256(), true))
                .toList();
        return new CatalogEntry(name, licence, Format.IDX, mirrors, downloads, files, classNames);
    }

    private static List<DataFile> files(List<String> names, List<Long> bytes, String... sums) {
        List<DataFile> files = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            files.add(new DataFile(names.get(i), bytes.get(i), sums[i]));
        }
        return files;
    }
}
