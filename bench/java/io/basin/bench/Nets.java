package io.basin.bench;

/** What both sides of the comparison must agree on: the input each net is trained on, and the threads they get. */
public final class Nets {
    private Nets() {}

    public static int channels(String net) {
        return onMnist(net) ? 1 : 3;
    }

    public static int size(String net) {
        return onMnist(net) ? 28 : 32;
    }

    private static boolean onMnist(String net) {
        return net.equals("mlp") || net.equals("smallcnn");
    }

    /** Two unless {@code OMP_NUM_THREADS} says otherwise; OpenMP reads the same variable. */
    public static int threads() {
        return Integer.parseInt(System.getenv().getOrDefault("OMP_NUM_THREADS", "2"));
    }
}
