package io.basin.methods;

import io.basin.text.Format;
import java.util.ArrayList;
import java.util.List;

/** Differences between a planned method and its settings or its paper: sentences to print before it is trained. */
public final class Remarks {
    private Remarks() {}

    /** One sentence each, which begins with the method's name; none where all is as asked. */
    public static List<String> of(Method method) {
        List<String> all = new ArrayList<>();
        Method.Origin origin = method.origin();
        if (origin == null) return all;
        int asked = origin.settings().models(origin.budget());
        int made = origin.settings() instanceof Lawa
                ? method.averaging().collected()
                : method.schedule().collections().length;
        if (made < asked) {
            all.add(method.name() + ": " + made + (made == 1 ? " model" : " models") + " instead of " + asked
                    + ", for the run is too short for more");
        }
        int idle = method.schedule().steps() - 1 - last(method);
        if (method.product() != Method.Product.LAST && idle > 0) {
            all.add(Format.of(
                    "%s: the last %s, %.3g epochs, are trained after its last model and change nothing%s",
                    method.name(),
                    steps(idle),
                    (double) idle / origin.stepsPerEpoch(),
                    origin.settings() instanceof Fge
                            ? "; a `fge.cycle` that fits in k + 1/2 times ends with a model"
                            : ""));
        }
        long spared = Math.round(origin.budget().epochs() * origin.stepsPerEpoch()) - method.totalSteps();
        if (spared > 0) {
            all.add(method.name() + ": " + steps(spared) + " of the budget cannot be shared by `independent.runs` "
                    + method.runs());
        }
        if (origin.settings() instanceof Swap) {
            all.add("swap: its first phase is trained in the batches of all methods; the paper's has large batches, so"
                    + " this is not the paper's SWAP");
        }
        all.addAll(shortCycles(method, origin));
        return all;
    }

    /** The papers' cycles are 2 to 4 epochs for FGE, and 20 to 40 for snapshots: in shorter ones a net does not settle. */
    private static List<String> shortCycles(Method method, Method.Origin origin) {
        boolean fge = origin.settings() instanceof Fge;
        if (!fge && !(origin.settings() instanceof Snapshot)) return List.of();
        int[] at = method.schedule().collections();
        if (at.length == 0) return List.of();
        // A single model has no distance to the next: a snapshot's cycle is all before it, FGE's the one that was asked
        // for.
        double epochs = (double) (at.length > 1 ? at[1] - at[0] : at[0] + 1) / origin.stepsPerEpoch();
        if (at.length == 1 && origin.settings() instanceof Fge f && f.cycle() > 0) epochs = f.cycle();
        if (epochs >= (fge ? 2 : 10)) return List.of();
        return List.of(Format.of(
                "%s: its cycles are %.3g epochs, the paper's %s: more `epochs`%s would show it at its best",
                method.name(),
                epochs,
                fge ? "2 to 4" : "20 to 40",
                fge ? " or a longer `fge.cycle`" : " or fewer `snapshot.cycles`"));
    }

    /** The same of a budget that is not a whole number of steps, where rounding it changes it by more than a hundredth. */
    public static List<String> of(double epochs, int stepsPerEpoch) {
        double asked = epochs * stepsPerEpoch;
        long made = Math.max(1, Math.round(asked));
        if (Math.abs(made - asked) <= 0.01 * asked) return List.of();
        return List.of(Format.of(
                "`epochs` %s would be %.3g steps at %d an epoch; %s are trained, %.3g epochs",
                epochs, asked, stepsPerEpoch, steps(made), (double) made / stepsPerEpoch));
    }

    private static String steps(long n) {
        return n + (n == 1 ? " step" : " steps");
    }

    private static int last(Method method) {
        double[] alpha = method.averaging().alpha();
        int[] collected = method.schedule().collections();
        int last = collected.length == 0 ? -1 : collected[collected.length - 1];
        for (int s = last + 1; s < alpha.length; s++) if (alpha[s] != 0) last = s;
        return last;
    }
}
