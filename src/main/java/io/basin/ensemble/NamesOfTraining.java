package io.basin.ensemble;

import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.text.Printable;
import io.basin.train.ModelHeader;
import java.nio.file.Path;
import java.util.List;

/**
 * That samples and classes are called as those that a net was trained on, in the same order: its inputs and outputs have no names of
 * their own, and would be taken for others.
 */
public final class NamesOfTraining {
    private NamesOfTraining() {}

    /**
     * @param dataset the name of the data set that {@code like} is of
     * @throws IllegalArgumentException naming the first column or class that differs
     */
    public static void require(ModelHeader net, String dataset, Dataset like) {
        String place = OwnData.isNamed(dataset) ? OwnData.of(dataset).path().toString() : Printable.of(dataset);
        require(net.file(), "column", net.columns(), like.columns(), place);
        require(net.file(), "class", net.classNames(), like.classNames(), place);
    }

    private static void require(Path file, String what, List<String> there, List<String> here, String place) {
        if (there.isEmpty() || here.isEmpty() || there.equals(here)) return;
        int at = 0;
        while (at < Math.min(there.size(), here.size()) && there.get(at).equals(here.get(at))) at++;
        throw new IllegalArgumentException(file + " was trained on data whose " + what + " " + (at + 1) + " is "
                + named(there, at) + ", and in " + place + " it is " + named(here, at) + ": name the data that it was"
                + " trained on with `dataDir`, or give these the " + (what.equals("class") ? "classes" : "columns")
                + " of its training in their order, " + Printable.of(String.join(", ", there)));
    }

    private static String named(List<String> names, int at) {
        return at < names.size() ? "'" + Printable.of(names.get(at)) + "'" : "missing";
    }
}
