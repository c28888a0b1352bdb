package io.basin.compare;

import io.basin.train.Averaging;
import io.basin.train.Recipe;
import io.basin.train.Recipe.Product;
import io.basin.train.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Methods that train the very same weights and differ only in what they make of them, so that one run serves them all: SGD's
 * last weights and their exponential average, for instance. Each still counts its whole budget.
 */
record Group(List<Recipe> recipes) {
    static List<Group> of(List<Recipe> recipes) {
        List<List<Recipe>> groups = new ArrayList<>();
        for (Recipe recipe : recipes) {
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
    private static boolean compatible(Recipe a, Recipe b) {
        return a.sameTraining(b)
                && !(a.product() == Product.AVERAGE && b.product() == Product.AVERAGE)
                && !(a.product() == Product.MEMBERS && b.product() == Product.MEMBERS);
    }

    String name() {
        return recipes.stream().map(Recipe::name).collect(Collectors.joining("+"));
    }

    boolean predictsFromMembers() {
        return recipes.stream().anyMatch(r -> r.product() == Product.MEMBERS);
    }

    int runs() {
        return recipes.get(0).runs();
    }

    Schedule schedule() {
        return pick(Product.MEMBERS).schedule();
    }

    Averaging averaging() {
        return pick(Product.AVERAGE).averaging();
    }

    /** The recipe that makes {@code product}, else any: the others do not look at that table. */
    private Recipe pick(Product product) {
        return recipes.stream().filter(r -> r.product() == product).findFirst().orElse(recipes.get(0));
    }
}
