package io.basin.rounds;

import io.basin.spark.SharesSource;
import io.basin.spark.SparkCarrier;
import java.nio.file.Path;

/** A Spark application in a process of its own; prints the sum of the weights that come out. */
public final class SparkJob {
    private SparkJob() {}

    static RoundPlan plan() {
        return TinyJob.methods(3, 12).diLoCo(4, 0.7, 0.9);
    }

    private record Source() implements SharesSource {
        private static final long serialVersionUID = 1;

        @Override
        public Workshop make() {
            return TinyJob.workshop(plan());
        }
    }

    public static void main(String[] args) {
        Workshop workshop = TinyJob.workshop(plan());
        System.out.println(TinyJob.sum(
                TinyJob.run(Path.of(args[0]), workshop, f -> new SparkCarrier(f, workshop, new Source(), args[1]))
                        .get(0)));
    }
}
