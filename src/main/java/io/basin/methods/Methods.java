package io.basin.methods;

import io.basin.text.Closest;
import java.util.List;

/**
 * The published methods: by name, or by what one decides about them.
 *
 * <pre>{@code
 * Method swa = Methods.swa(0.75, 0.01).plan(new Budget(10, 0.05), data.stepsPerEpoch());
 * }</pre>
 */
public final class Methods {
    /** Every method with its usual settings. */
    public static final Methods USUAL = new Methods(List.of(
            new Baseline(),
            new Ema(),
            new Swa(),
            new SwaCyclic(),
            new Lawa(),
            new Tail(),
            new Swag(),
            new Swap(),
            new Snapshot(),
            new Fge(),
            new Independent()));

    /** Names of all. */
    public static final List<String> NAMES =
            USUAL.all.stream().map(MethodSettings::name).toList();

    private final List<MethodSettings> all;

    /** Some methods, each with settings of one's own. */
    public Methods(List<MethodSettings> all) {
        this.all = List.copyOf(all);
    }

    public List<MethodSettings> all() {
        return all;
    }

    /** @throws IllegalArgumentException for an unknown name, with the likeliest known one */
    public MethodSettings named(String name) {
        return all.stream()
                .filter(m -> m.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(Closest.unknown(
                        "method", name, all.stream().map(MethodSettings::name).toList())));
    }

    public static MethodSettings sgd() {
        return new Baseline();
    }

    /** @see Swa */
    public static MethodSettings swa(double start, double lr) {
        return new Swa(start, lr);
    }

    /** @see SwaCyclic */
    public static MethodSettings swaCyclic(double start, double high, double low) {
        return new SwaCyclic(start, high, low, 0);
    }

    /** @see Ema */
    public static MethodSettings ema(double decay) {
        return new Ema(decay);
    }

    /** @see Lawa */
    public static MethodSettings lawa(int epochs) {
        return new Lawa(epochs);
    }

    /** @see Tail */
    public static MethodSettings tail(double start, double lr) {
        return new Tail(start, lr);
    }

    /** @see Swag */
    public static MethodSettings swag(double start, double lr, int samples) {
        return new Swag(new Swa(start, lr), samples, 20, 1);
    }

    /** @see Swap */
    public static MethodSettings swap(double start, double lr, double low, int workers) {
        return new Swap(start, lr, low, workers);
    }

    /** @see Snapshot */
    public static MethodSettings snapshot(int cycles, double lr) {
        return new Snapshot(cycles, lr);
    }

    /** @see Fge */
    public static MethodSettings fge(double start, double high, double low) {
        return new Fge(start, high, low, 0);
    }

    /** @see Independent */
    public static MethodSettings independent(int runs) {
        return new Independent(runs);
    }
}
