package io.basin.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where a planned method differs from what its settings or its paper say: sentences to print before it is trained. */
public final class Remarks {
    private Remarks() {}

    /** One sentence each, which begins with the method's name; none where all is as asked. */
    public static List<String> of(Recipe recipe, Settings s, int stepsPerEpoch) {
        List<String> all = new ArrayList<>();
        int asked = asked(recipe.name(), s);
        int made = recipe.name().equals("lawa")
                ? recipe.averaging().collected()
                : recipe.schedule().collections().length;
        if (made < asked) {
            all.add(recipe.name() + ": " + made + (made == 1 ? " model" : " models") + " instead of " + asked
                    + ", for the run is too short for more");
        }
        int idle = recipe.schedule().steps() - 1 - last(recipe);
        if (recipe.product() != Recipe.Product.LAST && idle > 0) {
            all.add(String.format(
                    Locale.ROOT,
                    "%s: the last %s, %.3g epochs, are trained after its last model and change nothing%s",
                    recipe.name(),
                    steps(idle),
                    (double) idle / stepsPerEpoch,
                    recipe.name().equals("fge") ? "; a --cycle that fits in k + 1/2 times ends with a model" : ""));
        }
        long spared = Math.round(s.epochs() * stepsPerEpoch) - recipe.totalSteps();
        if (spared > 0) {
            all.add(recipe.name() + ": " + steps(spared) + " of the budget cannot be shared by --runs " + s.runs());
        }
        if (recipe.name().equals("swap")) {
            all.add("swap: its first phase is trained in batches of " + s.batch()
                    + " like all methods; the paper's has large batches, so this is not the paper's SWAP");
        }
        return all;
    }

    private static String steps(long n) {
        return n + (n == 1 ? " step" : " steps");
    }

    /** Models that the settings ask for; 0 where they name no number. */
    private static int asked(String method, Settings s) {
        double scheduled = s.epochs() - s.warmUp();
        int cycles = (int) Math.round((1 - s.swaStart()) * scheduled / s.swaCycle());
        return switch (method) {
            case "swa", "swag" -> cycles + 1;
            case "swa-cyclic" -> cycles;
            case "fge" -> (int) ((Math.round(2 * (1 - s.fgeStart()) * scheduled / s.fgeCycle()) + 1) / 2);
            case "lawa" -> s.lawa();
            default -> 0;
        };
    }

    private static int last(Recipe recipe) {
        double[] alpha = recipe.averaging().alpha();
        int[] collected = recipe.schedule().collections();
        int last = collected.length == 0 ? -1 : collected[collected.length - 1];
        for (int s = last + 1; s < alpha.length; s++) if (alpha[s] != 0) last = s;
        return last;
    }
}
