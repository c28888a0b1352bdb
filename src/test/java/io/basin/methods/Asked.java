package io.basin.methods;

/** Methods with a test's own settings at a budget, planned by name. */
public record Asked(Budget budget, Methods methods) {
    public Method plan(String name, int stepsPerEpoch) {
        return methods.named(name).plan(budget, stepsPerEpoch);
    }
}
