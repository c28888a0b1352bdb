package io.basin.compare;

import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Method.Product;
import io.basin.methods.Schedule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Methods that train the very same weights and differ only in what they make of them, so that one run serves them all: SGD's
 * last weights and their exponential average, for instance. Each still counts its whole budget.
 */
record Group(List<Method> recipes) {
    static List<Group> of(List<Method> recipes) {
        List<List<Method>> groups = new ArrayList<>();
        for (Method recipe : recipes) {
            groups.stream()
                    .filter(g -> g.stream().allMatch(other -> compatible(other, recipe)))
                    .findFirst()
                    .orElseGet(() -> {
                        groups.add(new ArrayList<>());
                        return groups.get(groups.size() - 1);
                    })
                    .add(recipe);
        }
        return groups.stream().map(g -> new Group(List.copyOf(g))).toList();
    }

    /** A run has one average and one list of members. */
    private static boolean compatible(Method a, Method b) {
        return a.sameTraining(b)
                && !(a.product() == Product.AVERAGE && b.product() == Product.AVERAGE)
                && !(a.product().fromMembers() && b.product().fromMembers());
    }

    String name() {
        return recipes.stream().map(Method::name).collect(Collectors.joining("+"));
    }

    boolean predictsFromMembers() {
        return recipes.stream().anyMatch(r -> r.product().fromMembers());
    }

    /** Training runs: those of the methods, and the trunk where they have one. */
    int parts() {
        return recipes.get(0).parts();
    }

    /** Where part {@code part} keeps its files, given the group's folder. */
    Path partFolder(Path folder, int part) {
        return parts() == 1 ? folder : folder.resolve("run-" + part);
    }

    boolean isTrunk(int part) {
        return recipes.get(0).isTrunk(part);
    }

    Schedule schedule(int part) {
        return isTrunk(part) ? recipes.get(0).trunk() : collecting().schedule();
    }

    Averaging averaging(int part) {
        if (isTrunk(part)) return Averaging.none(recipes.get(0).trunk().steps());
        return recipes.stream()
                .filter(r -> r.product() == Product.AVERAGE)
                .findFirst()
                .orElse(recipes.get(0))
                .averaging();
    }

    /** Restarts of the rate before the model that was collected after {@code step}. */
    int restarts(int step) {
        return collecting().restarts(step);
    }

    /** The recipe whose models are collected, else one that averages its own, for the self-check, else any. */
    private Method collecting() {
        return recipes.stream()
                .filter(r -> r.product().fromMembers())
                .findFirst()
                .orElseGet(() -> recipes.stream()
                        .filter(r -> r.product() == Product.AVERAGE)
                        .findFirst()
                        .orElse(recipes.get(0)));
    }
}
