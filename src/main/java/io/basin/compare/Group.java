package io.basin.compare;

import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Method.Product;
import io.basin.methods.Schedule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Methods that train the very same weights and differ only in what they make of them, so that one run serves them all: SGD's
 * last weights and their exponential average, for instance. Each still counts its whole budget.
 */
record Group(List<Method> methods) {
    static List<Group> of(List<Method> methods) {
        return of(methods, List.of());
    }

    /**
     * The same where some were trained before: these stay together, and what is added trains beside them.
     *
     * @param there names of groups
     */
    static List<Group> of(List<Method> methods, List<String> there) {
        Map<String, Method> byName = new LinkedHashMap<>();
        methods.forEach(m -> byName.put(m.name(), m));
        List<Group> groups = new ArrayList<>();
        for (String name : there) {
            List<String> names = List.of(name.split("\\+"));
            if (!byName.keySet().containsAll(names)) continue;
            groups.add(new Group(names.stream()
                    .map(n -> Objects.requireNonNull(byName.remove(n)))
                    .toList()));
        }
        groups.addAll(fresh(byName.values()));
        // As they are without anything there: a resumed comparison says what an uninterrupted one does.
        groups.sort(Comparator.comparingInt(g -> methods.indexOf(g.methods().get(0))));
        return groups;
    }

    private static List<Group> fresh(Collection<Method> methods) {
        List<List<Method>> groups = new ArrayList<>();
        for (Method method : methods) {
            groups.stream()
                    .filter(g -> g.stream().allMatch(other -> compatible(other, method)))
                    .findFirst()
                    .orElseGet(() -> {
                        groups.add(new ArrayList<>());
                        return groups.get(groups.size() - 1);
                    })
                    .add(method);
        }
        return groups.stream().map(g -> new Group(List.copyOf(g))).toList();
    }

    /** A run has one average and one list of members. */
    private static boolean compatible(Method a, Method b) {
        return a.sameTraining(b)
                && !(a.product().averages() && b.product().averages())
                && !(a.product().fromMembers() && b.product().fromMembers());
    }

    String name() {
        return methods.stream().map(Method::name).collect(Collectors.joining("+"));
    }

    /** {@link #name} in words. */
    String said() {
        return methods.stream().map(Method::name).collect(Collectors.joining(" and "));
    }

    boolean predictsFromMembers() {
        return methods.stream()
                .anyMatch(r -> r.product().fromMembers() || !r.products().isEmpty());
    }

    /** Training runs: those of the methods, and the trunk where they have one. */
    int parts() {
        return methods.get(0).parts();
    }

    /** The folder of part {@code part}'s files, given the group's folder. */
    Path partFolder(Path folder, int part) {
        return parts() == 1 ? folder : folder.resolve("run-" + part);
    }

    /** The file of part {@code part}'s figures by epoch. */
    Path metrics(Path folder, int part) {
        return partFolder(folder, part).resolve("metrics.jsonl");
    }

    /** Updates of a part that are not trained: see {@link Method#begin}. */
    int begin(int part) {
        return part == 0 ? methods.get(0).begin() : 0;
    }

    boolean isTrunk(int part) {
        return methods.get(0).isTrunk(part);
    }

    Schedule schedule(int part) {
        return isTrunk(part)
                ? Objects.requireNonNull(methods.get(0).trunk())
                : collecting().schedule();
    }

    Averaging averaging(int part) {
        if (isTrunk(part)) return Averaging.none(schedule(part).steps());
        return first(Product::averages).orElse(methods.get(0)).averaging();
    }

    /** Restarts of the rate before the model that was collected after {@code step}. */
    int restarts(int step) {
        return collecting().restarts(step);
    }

    /** The method whose models are collected, else one that averages its own, for the self-check, else any. */
    private Method collecting() {
        return first(Product::fromMembers)
                .or(() -> first(p -> p == Product.AVERAGE))
                .orElse(methods.get(0));
    }

    private Optional<Method> first(Predicate<Product> product) {
        return methods.stream().filter(m -> product.test(m.product())).findFirst();
    }
}
