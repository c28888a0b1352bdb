package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.random.Permutation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which samples a step draws, as what, with which labels. */
class BatchContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Shape SAMPLE = Shape.of(3, 4, 5);
    private static final int COUNT = 23;
    private static final int BATCH = 5;

    /** Each sample is its own label. */
    private static OpTrial trial(Device device, int count, BatchReader spec) {
        byte[] pixels = Draws.bytes(9, count * (int) SAMPLE.elements());
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) labels[i] = i;
        return new OpTrial(device, PlanContext.Mode.TRAIN, Sets.of(device, pixels, labels, SAMPLE, count), spec)
                .ready();
    }

    private static int[] draw(OpTrial trial, long step) {
        trial.control.start(step);
        trial.batch.forward();
        return trial.readLabels();
    }

    /** (C, H, W) of sample i by the formula. */
    private static float[] expected(int i, BatchReader spec) {
        byte[] pixels = Draws.bytes(9, COUNT * (int) SAMPLE.elements());
        float[] out = new float[(int) SAMPLE.elements()];
        for (int c = 0; c < 3; c++) {
            for (int at = 0; at < 20; at++) {
                int pixel = pixels[(i * 20 + at) * 3 + c] & 255;
                out[c * 20 + at] = (float) ((pixel / 255.0 - spec.augmentation().mean()[c])
                        / spec.augmentation().std()[c]);
            }
        }
        return out;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void shuffledBatchesFollowTheKeyedOrderOfTheirEpoch(Subject subject) {
        BatchReader spec = Sets.shuffled(BATCH, 3, 77);
        try (Device device = subject.open();
                OpTrial trial = trial(device, COUNT, spec)) {
            for (int step : new int[] {0, 1, 3, 4, 7, 11, 400}) {
                int[] labels = draw(trial, step);
                float[] values = trial.read(trial.batch.output());
                for (int row = 0; row < BATCH; row++) {
                    int index = Permutation.at(step % 4 * BATCH + row, COUNT, 77, step / 4);
                    assertEquals(index, labels[row]);
                    float[] got = Arrays.copyOfRange(values, row * 60, row * 60 + 60);
                    Close.ROUNDING.check("sample " + index, expected(index, spec), got);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEpochDrawsNoSampleTwiceAndTheNextInAnotherOrder(Subject subject) {
        try (Device device = subject.open();
                OpTrial trial = trial(device, COUNT, Sets.shuffled(BATCH, 3, 5))) {
            List<List<Integer>> epochs = new ArrayList<>();
            for (int epoch = 0; epoch < 3; epoch++) {
                List<Integer> drawn = new ArrayList<>();
                for (int i = 0; i < 4; i++) for (int label : draw(trial, 4 * epoch + i)) drawn.add(label);
                assertEquals(20, new HashSet<>(drawn).size());
                epochs.add(drawn);
            }
            assertNotEquals(epochs.get(0), epochs.get(1));
            assertNotEquals(epochs.get(1), epochs.get(2));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationDrawsInOrderAndMarksRowsPastTheEnd(Subject subject) {
        BatchReader spec = Sets.plain(BATCH, 3);
        try (Device device = subject.open();
                OpTrial trial = trial(device, COUNT, spec)) {
            assertArrayEquals(new int[] {5, 6, 7, 8, 9}, draw(trial, 1));
            assertArrayEquals(new int[] {20, 21, 22, -1, -1}, draw(trial, 4));
            float[] values = trial.read(trial.batch.output());
            for (int i = 180; i < 300; i++) assertEquals(0, values[i]);
            Close.ROUNDING.check("sample 22", expected(22, spec), Arrays.copyOfRange(values, 120, 180));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void augmentedBatchesMatchTheReference(Subject subject) {
        BatchReader plain = Sets.shuffled(BATCH, 3, 13);
        BatchReader spec = new BatchReader(
                BATCH,
                new Augmentation(
                        2,
                        true,
                        plain.augmentation().mean(),
                        plain.augmentation().std()),
                13,
                true);
        try (Device device = subject.open();
                Device reference = new ReferenceDevice();
                OpTrial trial = trial(device, COUNT, spec);
                OpTrial oracle = trial(reference, COUNT, spec)) {
            for (int step = 0; step < 9; step++) {
                draw(trial, step);
                oracle.control.start(step);
                oracle.batch.forward();
                float[] expected = oracle.read(oracle.batch.output());
                assertArrayEquals(expected, trial.read(trial.batch.output()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void distortedAndMixedBatchesMatchTheReferenceWithBothLabels(Subject subject) {
        for (Distortion d : new Distortion[] {new Distortion(0.4, 3, 0), new Distortion(0.7, 2, 0.5)}) {
            Augmentation how = new Augmentation(
                    1, true, d, Sets.plain(1, 3).augmentation().mean(), new float[] {0.3f, 0.2f, 0.25f});
            BatchReader spec = new BatchReader(BATCH, how, 13, true);
            try (Device device = subject.open();
                    Device reference = new ReferenceDevice();
                    OpTrial trial = trial(device, COUNT, spec);
                    OpTrial oracle = trial(reference, COUNT, spec)) {
                for (int step : new int[] {0, 1, 3, 4, 9}) {
                    int[] labels = draw(trial, step);
                    oracle.control.start(step);
                    oracle.batch.forward();
                    assertArrayEquals(oracle.read(oracle.batch.output()), trial.read(trial.batch.output()));
                    for (int row = 0; row < BATCH; row++) {
                        int index = at(step, row);
                        assertEquals(index, labels[row]);
                        if (d.mixup() == 0) continue;
                        assertEquals(at(step, (row + 1) % BATCH), labels[BATCH + row]);
                        float share = new Augment(how, 4, 5, 3).share(index, 13, step / 4);
                        assertEquals(share, Float.intBitsToFloat(labels[2 * BATCH + row]));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void batchesOfSamplesThatStreamAreTheSameInAnyOrderOfSteps(Subject subject) {
        byte[] pixels = Draws.bytes(9, COUNT * (int) SAMPLE.elements());
        int[] labels = Draws.labels(3, COUNT, 7);
        Augmentation how = Sets.plain(1, 3).augmentation().with(new Distortion(0.4, 3, 0.2));
        for (boolean shuffled : new boolean[] {true, false}) {
            BatchReader spec = new BatchReader(2, how, 13, shuffled);
            try (Device device = subject.open();
                    OpTrial lies = new OpTrial(
                                    device, PlanContext.Mode.TRAIN, Sets.of(device, pixels, labels, SAMPLE, 7), spec)
                            .ready();
                    OpTrial streams = new OpTrial(
                                    device,
                                    PlanContext.Mode.TRAIN,
                                    Sets.streaming(device, pixels, labels, SAMPLE, 7),
                                    spec)
                            .ready()) {
                for (int step : new int[] {0, 1, 2, 3, 4, 9, 11, 0, 7, 7, 6, 40, 5}) {
                    streams.batch.supply(step);
                    assertArrayEquals(draw(lies, step), draw(streams, step), "step " + step);
                    assertArrayEquals(lies.read(lies.batch.output()), streams.read(streams.batch.output()));
                }
            }
        }
    }

    /** Numbers with class labels: from a table of moments instead of pixels. */
    @ParameterizedTest
    @MethodSource(ALL)
    void numbersAreCutAndMixedAsTheReferenceHasThemAlsoWhereTheyStream(Subject subject) {
        float[] values = Draws.normal(5, COUNT * SAMPLE.elements());
        int[] labels = Draws.labels(3, COUNT, 7);
        Augmentation how = Sets.plain(1, 3).augmentation().with(new Distortion(0, 3, 0.4));
        BatchReader spec = new BatchReader(BATCH, how, 13, true);
        try (Device device = subject.open();
                Device reference = new ReferenceDevice();
                OpTrial oracle = floats(reference, values, labels, false, spec);
                OpTrial lies = floats(device, values, labels, false, spec);
                OpTrial streams = floats(device, values, labels, true, spec)) {
            for (int step : new int[] {0, 3, 4, 9}) {
                oracle.control.start(step);
                oracle.batch.forward();
                streams.batch.supply(step);
                assertArrayEquals(draw(lies, step), draw(streams, step));
                float[] expected = oracle.read(oracle.batch.output());
                assertArrayEquals(expected, lies.read(lies.batch.output()));
                assertArrayEquals(expected, streams.read(streams.batch.output()));
            }
        }
    }

    private static OpTrial floats(Device device, float[] values, int[] labels, boolean streams, BatchReader spec) {
        ByteBuffer x = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        x.asFloatBuffer().put(values);
        ByteBuffer y = ByteBuffer.allocateDirect(4 * labels.length).order(ByteOrder.nativeOrder());
        y.asIntBuffer().put(labels);
        Images images = new Images(
                streams ? device.allocate(0) : device.allocate(x),
                streams ? device.allocate(0) : device.allocate(y),
                COUNT,
                4,
                5,
                3,
                7,
                true,
                false,
                streams ? new Images.Host(x, y) : null);
        return new OpTrial(device, PlanContext.Mode.TRAIN, images, spec).ready();
    }

    private static int at(int step, int row) {
        return Permutation.at(step % 4 * BATCH + row, COUNT, 13, step / 4);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void whatCannotBeDistortedIsRefusedByName(Subject subject) {
        Distortion all = new Distortion(0.1, 0, 0.2);
        try (Device device = subject.open();
                Images floats = Sets.ofFloats(device, new float[8], new float[4], Shape.of(1, 1, 2), 1)) {
            Augmentation how = Sets.plain(2, 1).augmentation();
            assertRefused("`jitter`", new BatchReader(2, how.with(all), 1, true), floats);
            assertRefused("`mixup`", new BatchReader(2, how.with(new Distortion(0, 0, 0.2)), 1, true), floats);
            Images pictures = Sets.random(device, 1, 4, SAMPLE, 3);
            try (pictures) {
                Augmentation colours = Sets.plain(2, 3).augmentation();
                assertRefused("`batch`", new BatchReader(1, colours.with(all), 1, true), pictures);
                assertRefused("`cutout`", new BatchReader(2, colours.with(new Distortion(0, 4, 0)), 1, true), pictures);
                new BatchReader(1, colours.with(all), 1, false).requireFit(pictures);
            }
        }
    }

    private static void assertRefused(String named, BatchReader spec, Images images) {
        String message = assertThrows(IllegalArgumentException.class, () -> spec.requireFit(images))
                .getMessage();
        assertTrue(message.contains(named), message);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aBatchLargerThanTheTrainingSetIsRefused(Subject subject) {
        try (Device device = subject.open()) {
            Images images = Sets.random(device, 1, 4, SAMPLE, 3);
            try (images;
                    RunState control = new RunState(device)) {
                PlanContext scope = new PlanContext(new ParameterStore(true), PlanContext.Mode.TRAIN, Precision.FP32, 3)
                        .at(0, "batch");
                BatchReader spec = Sets.shuffled(5, 3, 1);
                String message = assertThrows(
                                IllegalArgumentException.class, () -> device.batch(scope, spec, images, control))
                        .getMessage();
                assertTrue(message.contains("5") && message.contains("4"), message);
            }
        }
    }
}
