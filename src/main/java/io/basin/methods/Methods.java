package io.basin.methods;

import io.basin.Api;
import io.basin.text.Closest;
import io.basin.text.OwnClass;
import io.basin.text.Require;
import java.util.List;

/**
 * The published methods: by name, or, for programs, by their main settings; each record's constructor takes all of them.
 *
 * <pre>{@code
 * Method swa = Methods.swa(0.75, 0.01).plan(new Budget(10, 0.05), data.stepsPerEpoch());
 * }</pre>
 */
@Api
public final class Methods {
    /** Every method with its usual settings. */
    public static final Methods USUAL = new Methods(List.of(
            new Baseline(),
            new Ema(0.999),
            new Swa(0.75, 0.01),
            new SwaCyclic(0.75, 0.01, 0.001, 0),
            new Lawa(3),
            new Tail(0.75, 0.01),
            new Swag(new Swa(0.75, 0.01), 10, 20, 1),
            new Swap(0.75, 0.01, 0.001, 3),
            new Snapshot(3, 0.1),
            new Fge(0.8, 0.02, 0.0005, 0),
            new Independent(2),
            new SwitchEma(0.999),
            new Pswa(0),
            new Lookahead(5, 0.5),
            new Wsm(0.8, 10),
            new PowerEma(40)));

    public static final List<String> NAMES =
            USUAL.all.stream().map(MethodSettings::name).toList();

    private static final OwnClass<MethodSettings> OWN =
            new OwnClass<>(MethodSettings.class, "MethodSettings", "plans the method");

    private final List<MethodSettings> all;

    /** Some methods, each with the caller's settings. */
    public Methods(List<MethodSettings> all) {
        this.all = List.copyOf(Require.given("all", all));
    }

    public List<MethodSettings> all() {
        return all;
    }

    /**
     * One of these, or an instance of the caller's own {@link MethodSettings} by the name of its public class, which has a public
     * constructor without arguments.
     *
     * @throws IllegalArgumentException for an unknown name, with the likeliest known one, or naming what the class lacks
     */
    public MethodSettings named(String name) {
        List<String> known = all.stream().map(MethodSettings::name).toList();
        if (known.contains(name)) return all.get(known.indexOf(name));
        if (OWN.isNamed(name)) return OWN.instance(name);
        throw new IllegalArgumentException(Closest.unknown("method", name, known));
    }

    public static MethodSettings sgd() {
        return new Baseline();
    }

    /** @see Swa */
    public static MethodSettings swa(double start, double lr) {
        return new Swa(start, lr);
    }

    /** @see Ema */
    public static MethodSettings ema(double decay) {
        return new Ema(decay);
    }

    /** @see Snapshot */
    public static MethodSettings snapshot(int cycles, double lr) {
        return new Snapshot(cycles, lr);
    }

    /** @see Fge */
    public static MethodSettings fge(double start, double high, double low) {
        return new Fge(start, high, low, 0);
    }
}
