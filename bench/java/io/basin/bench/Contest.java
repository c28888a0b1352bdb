package io.basin.bench;

import java.util.List;

/**
 * One line of the comparison: what both sides run.
 *
 * @param name a net, or {@code step} for the update alone
 */
record Contest(String name) {
    static final String STEP = "step";

    static List<String> all() {
        return List.of("mlp", "smallcnn", "preresnet20", "vgg16", STEP);
    }

    boolean isStep() {
        return name.equals(STEP);
    }

    String unit() {
        return isStep() ? "updates/s" : "images/s";
    }

    /** {@code TorchTraining}, {@code BasinStep} and so on: the twins differ in their first word only. */
    String benchmark(String side) {
        return side + (isStep() ? "Step" : "Training");
    }

    List<String> parameters() {
        return isStep() ? List.of() : List.of("net=" + name);
    }

    /** Whether Basin's half is in the class path; without it the peer is measured alone. */
    boolean hasTwin() {
        try {
            Class.forName(Contest.class.getPackageName() + "." + benchmark("Basin"));
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
