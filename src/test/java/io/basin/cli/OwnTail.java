package io.basin.cli;

import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.Schedule;

/** A method that only its class's name leads to: the mean of the last half at the constant rate. */
public final class OwnTail implements MethodSettings {
    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        int steps = (int) Math.round(budget.epochs() * stepsPerEpoch);
        return new Method(
                name(),
                Schedule.constant(steps, budget.lr()),
                Averaging.tail(steps, steps / 2),
                Method.Product.AVERAGE);
    }
}
