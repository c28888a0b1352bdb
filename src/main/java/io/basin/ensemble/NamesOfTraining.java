package io.basin.ensemble;

import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.text.Printable;
import io.basin.train.ModelHeader;
import java.util.List;
import java.util.function.Function;

/**
 * That samples and classes are called as those that a net was trained on, in the same order: its inputs and outputs have no names of
 * their own, and would be taken for others. Older files and a program's own data need not name them; of two nets both name columns or none.
 */
public final class NamesOfTraining {
    private NamesOfTraining() {}

    /**
     * @param dataset the name of the data set that {@code like} is of
     * @throws IllegalArgumentException naming the first column or class that differs
     */
    public static void require(ModelHeader net, String dataset, Dataset like) {
        String place = OwnData.isNamed(dataset) ? OwnData.of(dataset).path().toString() : Printable.of(dataset);
        String remedy = "name the data that it was trained on with `dataDir`, or give these its * in their order, ";
        if (!net.columns().isEmpty() && !like.columns().isEmpty())
            require(net, "column", net.columns(), like.columns(), place, remedy);
        require(net, "class", net.classNames(), like.classNames(), place, remedy);
    }

    /**
     * The same of two nets that are asked, measured or averaged together.
     *
     * @param columns of a net's table, where more than its file may know them
     */
    public static void requireSame(ModelHeader first, ModelHeader net, Function<ModelHeader, List<String>> columns) {
        String place = "that of " + net.file();
        String remedy =
                "name files of nets with the same * in one order (what another program trained is imported again with"
                        + " the other's data or `classNames`), such as ";
        require(first, "column", columns.apply(first), columns.apply(net), place, remedy);
        require(first, "class", first.classNames(), net.classNames(), place, remedy);
    }

    private static void require(
            ModelHeader net, String what, List<String> there, List<String> here, String place, String remedy) {
        boolean unsaid = what.equals("class") && (there.isEmpty() || here.isEmpty());
        if (unsaid || there.equals(here)) return;
        int at = 0;
        while (at < Math.min(there.size(), here.size()) && there.get(at).equals(here.get(at))) at++;
        throw new IllegalArgumentException(
                net.file() + " was trained on data whose " + what + " " + (at + 1) + " is " + named(there, at)
                        + ", and in " + place + " it is " + named(here, at) + ": "
                        + remedy.replace("*", what.equals("class") ? "classes" : "columns")
                        + Printable.of(String.join(", ", there.isEmpty() ? here : there)));
    }

    private static String named(List<String> names, int at) {
        return at < names.size() ? "'" + Printable.of(names.get(at)) + "'" : "missing";
    }
}
