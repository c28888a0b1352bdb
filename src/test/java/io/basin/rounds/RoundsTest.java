package io.basin.rounds;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.AdamW;
import io.basin.methods.Baseline;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.rounds.RoundPlan.Lane;
import io.basin.rounds.RoundPlan.Outer;
import io.basin.rounds.RoundPlan.Round;
import io.basin.rounds.RoundPlan.Share;
import io.basin.train.DivergedException;
import io.basin.train.Model;
import io.basin.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoundsTest {
    private static final int EPOCHS = 12;

    @TempDir
    Path folder;

    private Path place(String name) throws Exception {
        return Files.createDirectory(folder.resolve(name));
    }

    /** Rounds of one worker are a run that nobody interrupts: the mean of one is itself, and moments go on. */
    @Test
    void oneWorkersRoundsAreConventionalTrainingBitForBit() throws Exception {
        Workshop workshop = TinyJob.workshop(TinyJob.methods(1).localSgd(5));
        Path file = TinyJob.run(place("rounds"), workshop, f -> new Threads(f, workshop, 1))
                .get(0)
                .file();
        Method sgd = new Baseline().plan(new Budget(3, 0.05), TinyJob.STEPS_PER_EPOCH);
        try (Workshop.Bench bench = workshop.bench();
                Model model = bench.runner().model();
                Training training = new Training(
                        model,
                        bench.splits().train(),
                        bench.splits().reader(1000),
                        workshop.settings().optimizer(),
                        sgd.schedule(),
                        sgd.averaging())) {
            while (training.step() < training.steps()) training.advance();
            ModelState made = ModelState.read(file);
            for (var p : model.store().parameters()) {
                assertArrayEquals(
                        model.read(p.name()), made.tensors().get(p.name()).values(), p.name());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"local-sgd", "diloco", "post-local-sgd", "swap", "parallel-swa", "independent"})
    void howManyComputeAtOnceDoesNotShowInTheBits(String method) throws Exception {
        RoundPlan plan = plan(method);
        List<RoundRun.Outcome> one = TinyJob.inThreads(place("one"), plan, 1);
        List<RoundRun.Outcome> three = TinyJob.inThreads(place("three"), plan, 3);
        assertEquals(
                one.stream().map(TinyJob::sum).toList(),
                three.stream().map(TinyJob::sum).toList());
        // What a net that has learnt nothing says of four classes.
        for (RoundRun.Outcome o : one) assertTrue(o.test().meanLoss() < Math.log(4), method + " learns: " + o.test());
    }

    private static RoundPlan plan(String method) {
        RoundMethods all = TinyJob.methods(3, EPOCHS);
        return switch (method) {
            case "diloco" -> all.diLoCo(4, 0.7, 0.9);
            case "post-local-sgd" -> all.postLocalSgd(3, 0.5);
            case "swap" -> all.swap(0.5, 0.02, 0.001);
            case "parallel-swa" -> all.parallelSwa(0.5, 0.02);
            case "independent" -> all.independent();
            default -> all.localSgd(4);
        };
    }

    @Test
    void allMethodsDrawTheSamplesOfTheirBudgetTogether() {
        long budget = (long) EPOCHS * TinyJob.STEPS_PER_EPOCH * TinyJob.BATCH;
        for (String name : RoundMethods.names()) {
            RoundPlan plan = plan(name);
            assertEquals(budget, plan.samples(plan.rounds().size()), 3L * TinyJob.BATCH, name);
            assertEquals(3, plan.workers(), name);
        }
        assertEquals(EPOCHS * TinyJob.STEPS_PER_EPOCH / 3, plan("local-sgd").depth());
    }

    /** Against the formulas of DiLoCo's Algorithm 1 with Nesterov's momentum, in plain doubles. */
    @Test
    void theOuterStepIsNesterovsOnTheMeanOfTheDifferences() {
        Random random = new Random(3);
        Outer outer = new Outer(0.7, 0.9);
        ModelState w = state(random);
        ModelState v = null;
        double[] ww = doubles(w);
        double[] vv = new double[ww.length];
        for (int round = 0; round < 5; round++) {
            List<ModelState> shares = List.of(state(random), state(random), state(random));
            OuterStep.Combined made = OuterStep.combine(outer, w, v, shares);
            for (int i = 0; i < ww.length; i++) {
                double mean = 0;
                for (ModelState s : shares) mean += doubles(s)[i] / 3;
                double difference = mean - ww[i];
                vv[i] = 0.9 * vv[i] + difference;
                ww[i] += 0.7 * (difference + 0.9 * vv[i]);
            }
            w = made.weights();
            v = made.velocity();
            assertArrayEquals(ww, doubles(w), 1e-6, "round " + round);
        }
    }

    /** Statistics cannot be stepped: a variance would come out negative. */
    @Test
    void theMeanIsRoundedOnceAndStatisticsAreTheMean() {
        ModelState w = new ModelState().put("norm1.running_var", tensor(1f)).put("conv1.weight", tensor(0f));
        List<ModelState> shares = List.of(
                new ModelState().put("norm1.running_var", tensor(0.2f)).put("conv1.weight", tensor(16777216f)),
                new ModelState().put("norm1.running_var", tensor(0.4f)).put("conv1.weight", tensor(1f)),
                new ModelState().put("norm1.running_var", tensor(0.6f)).put("conv1.weight", tensor(1f)));
        OuterStep.Combined mean = OuterStep.combine(Outer.MEAN, w, null, shares);
        assertEquals(
                (float) (16777218.0 / 3),
                mean.weights().tensors().get("conv1.weight").values()[0]);
        OuterStep.Combined stepped = OuterStep.combine(new Outer(0.7, 0.9), w, null, shares);
        assertEquals(
                (float) ((0.2f + 0.4f + (double) 0.6f) / 3),
                stepped.weights().tensors().get("norm1.running_var").values()[0]);
    }

    private static ModelState.Tensor tensor(float value) {
        return new ModelState.Tensor(List.of(1L), new float[] {value});
    }

    private static ModelState state(Random random) {
        float[] values = new float[7];
        for (int i = 0; i < 7; i++) values[i] = (float) random.nextGaussian();
        return new ModelState().put("dense1.weight", new ModelState.Tensor(List.of(7L), values));
    }

    private static double[] doubles(ModelState state) {
        float[] values = state.tensors().get("dense1.weight").values();
        double[] made = new double[values.length];
        for (int i = 0; i < made.length; i++) made[i] = values[i];
        return made;
    }

    /** AdamW's correction counts the updates of its moments, worker by worker. */
    @Test
    void adamWsMomentsGoOnFromRoundToRound() throws Exception {
        Workshop sgd = TinyJob.workshop(TinyJob.methods(1).localSgd(4));
        Workshop adam =
                new Workshop(sgd.plan(), sgd.settings().with(new AdamW(0.01)), sgd.net(), sgd.data(), sgd.device());
        Workshop whole =
                new Workshop(TinyJob.methods(1).localSgd(1000), adam.settings(), sgd.net(), sgd.data(), sgd.device());
        assertEquals(
                TinyJob.sum(TinyJob.run(place("whole"), whole, f -> new Threads(f, whole, 1))
                        .get(0)),
                TinyJob.sum(TinyJob.run(place("rounds"), adam, f -> new Threads(f, adam, 1))
                        .get(0)));
    }

    @Test
    void aWorkerWhoseWeightsAreNotFiniteStopsTheJobByNameAndTheWeightsBeforeStay() throws Exception {
        double[] lr = {0.05, 0.05, 0.05, 0.05};
        double[] wild = {0.05, 0.05, 1e30, 1e30};
        RoundPlan plan = new RoundPlan(
                "poisoned",
                1,
                List.of(new Lane(1, 16, lr, new double[4]), new Lane(2, 16, wild, new double[4])),
                List.of(
                        new Round(List.of(new Share(0, 0, 2), new Share(1, 0, 2)), Outer.MEAN),
                        new Round(List.of(new Share(0, 2, 4), new Share(1, 2, 4)), Outer.MEAN)));
        Path place = place("job");
        DivergedException e = assertThrows(DivergedException.class, () -> TinyJob.inThreads(place, plan, 2));
        assertTrue(e.getMessage().startsWith("worker 1 in round 2: "), e.getMessage());
        Path kept = new RoundFolder(place).weights(1);
        assertTrue(e.getMessage().endsWith("the weights from before that round are " + kept), e.getMessage());
        ModelState.read(kept).tensors().values().forEach(t -> {
            for (float v : t.values()) assertTrue(Float.isFinite(v));
        });
        assertThrows(DivergedException.class, () -> TinyJob.inThreads(place, plan, 2), "it is tried again");
    }

    @Test
    void aDriverThatIsLostGoesOnFromTheLastRound() throws Exception {
        RoundPlan plan = TinyJob.plan();
        String undisturbed =
                TinyJob.sum(TinyJob.inThreads(place("whole"), plan, 2).get(0));
        Path place = place("lost");
        Workshop workshop = TinyJob.workshop(plan);
        for (int dies = 0; dies < 3; dies++) {
            int at = dies;
            assertThrows(
                    IllegalStateException.class, () -> TinyJob.run(place, workshop, f -> new Dying(f, workshop, at)));
        }
        assertEquals(undisturbed, TinyJob.sum(TinyJob.inThreads(place, plan, 1).get(0)));
        List<String> lines = Files.readAllLines(place.resolve("rounds.jsonl"));
        assertEquals(plan.rounds().size(), lines.size());
        for (int r = 0; r < lines.size(); r++)
            assertTrue(lines.get(r).contains("\"round\":" + (r + 1) + ","), lines.get(r));
    }

    /** Dies after a few rounds, with some shares handed over and some not. */
    private static final class Dying implements Carrier {
        private final RoundFolder folder;
        private final Workshop workshop;
        private final Threads threads;
        private int left;

        Dying(Path folder, Workshop workshop, int rounds) {
            this.folder = new RoundFolder(folder);
            this.workshop = workshop;
            threads = new Threads(folder, workshop, 1);
            left = rounds;
        }

        @Override
        public String describe() {
            return "dying";
        }

        @Override
        public void run(int round, Runnable handed) {
            threads.run(round, handed);
            if (left-- > 0) return;
            for (int w = 1; w < workshop.plan().rounds().get(round).shares().size(); w++) {
                RoundFolder.delete(folder.share(round, w));
            }
            throw new IllegalStateException("the driver dies");
        }

        @Override
        public void close() {
            threads.close();
        }
    }

    @Test
    void aJobDoesNotGoOnWithAnotherPlan() throws Exception {
        Path place = place("job");
        TinyJob.inThreads(place, TinyJob.methods(2).diLoCo(4, 0.7, 0.9), 1);
        byte[] before = Files.readAllBytes(place.resolve("job.json"));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> TinyJob.inThreads(place, TinyJob.methods(2).diLoCo(4, 0.6, 0.9), 1));
        assertTrue(e.getMessage().contains("is of another job than is planned here"), e.getMessage());
        assertArrayEquals(before, Files.readAllBytes(place.resolve("job.json")));
    }

    @Test
    void membersOfASweepDifferInTheirRateAlone() throws Exception {
        RoundPlan plan = TinyJob.methods(1).sweep(List.of(0.001, 0.05, 1e20, 0.001));
        Path place = place("sweep");
        List<RoundRun.Outcome> made = TinyJob.inThreads(place, plan, 2);
        assertEquals(4, made.size());
        assertEquals(TinyJob.sum(made.get(0)), TinyJob.sum(made.get(3)));
        assertNotEquals(TinyJob.sum(made.get(0)), TinyJob.sum(made.get(1)));
        // The rate that diverges costs the others nothing, and is known when the job goes on.
        assertNull(made.get(2).file());
        long step = made.get(2).test().broken();
        assertTrue(step >= 0 && step <= 3L * TinyJob.STEPS_PER_EPOCH, "step " + step);
        for (String line : Files.readAllLines(place.resolve("rounds.jsonl"))) assertTrue(!line.contains("NaN"), line);
        assertEquals(made, TinyJob.run(place, TinyJob.workshop(plan), Nobody::new));
    }

    /** To whom nothing is left. */
    private record Nobody(Path folder) implements Carrier {
        @Override
        public String describe() {
            return "nobody";
        }

        @Override
        public void run(int round, Runnable handed) {
            for (int w = 0; w < 4; w++) assertTrue(new RoundFolder(folder).has(round, w));
        }

        @Override
        public void close() {}
    }

    @Test
    void plansThatDoNotGoOnFromAnythingAreRefused() {
        Lane lane = new Lane(1, 16, new double[] {0.1, 0.1}, new double[2]);
        Round second = new Round(List.of(new Share(0, 1, 2)), Outer.MEAN);
        assertThrows(IllegalArgumentException.class, () -> new RoundPlan("x", 1, List.of(lane), List.of(second)));
        Round members = new Round(List.of(new Share(0, 0, 1)), null);
        assertThrows(
                IllegalArgumentException.class, () -> new RoundPlan("x", 1, List.of(lane), List.of(members, second)));
    }
}
