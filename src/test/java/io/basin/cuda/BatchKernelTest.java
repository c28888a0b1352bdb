package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.basin.device.Augment;
import io.basin.device.Augmentation;
import io.basin.device.Distortion;
import io.basin.device.Draws;
import io.basin.random.Permutation;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

/** Batches drawn on the GPU are those of the reference augmentation, bit for bit. */
class BatchKernelTest {
    private static final long SEED = 0x9E3779B97F4A7C15L;

    /** A set of images and how they are drawn. */
    private record Drawn(
            int count,
            int height,
            int width,
            int channels,
            int rows,
            int pad,
            boolean flip,
            boolean shuffled,
            Distortion distortion) {
        Drawn(int count, int height, int width, int channels, int rows, int pad, boolean flip, boolean shuffled) {
            this(count, height, width, channels, rows, pad, flip, shuffled, Distortion.NONE);
        }

        Drawn with(Distortion other) {
            return new Drawn(count, height, width, channels, rows, pad, flip, shuffled, other);
        }

        boolean mixes() {
            return shuffled && distortion.mixup() > 0;
        }

        int size() {
            return height * width * channels;
        }

        byte[] pixels() {
            return Draws.bytes(count, count * size());
        }

        int[] labels() {
            return Draws.labels(count, count, 10);
        }

        Augmentation augmentation() {
            float[] mean = new float[channels];
            float[] std = new float[channels];
            for (int c = 0; c < channels; c++) {
                mean[c] = 0.3f + 0.1f * c;
                std[c] = 0.2f + 0.05f * c;
            }
            return new Augmentation(pad, flip, distortion, mean, std);
        }

        /** As the CPU draws it: (rows, C, H, W), moved to (rows, H, W, C), and the labels. */
        void expect(long step, float[] values, int[] labels) {
            Augment augment = new Augment(augmentation(), height, width, channels);
            long batches = count / rows;
            long epoch = shuffled ? step / batches : 0;
            long first = (shuffled ? step % batches : step) * rows;
            float[] planes = new float[size()];
            int[] all = labels();
            ByteBuffer pixels = ByteBuffer.wrap(pixels());
            float[] other = new float[size()];
            for (int r = 0; r < rows; r++) {
                labels[r] = -1;
                if (first + r >= count) continue;
                int place = (int) first + r;
                int sample = shuffled ? Permutation.at(place, count, SEED, epoch) : place;
                augment.into(pixels, sample, SEED, epoch, augmentation().random(), planes, 0);
                if (mixes()) {
                    int next = Permutation.at((int) first + (r + 1) % rows, count, SEED, epoch);
                    augment.into(pixels, next, SEED, epoch, true, other, 0);
                    float share = augment.share(sample, SEED, epoch);
                    Augment.mix(planes, other, share);
                    labels[rows + r] = all[next];
                    labels[2 * rows + r] = Float.floatToRawIntBits(share);
                }
                labels[r] = all[sample];
                for (int i = 0; i < size(); i++) {
                    values[r * size() + i] = planes[i % channels * height * width + i / channels];
                }
            }
        }

        float[] table() {
            FloatBuffer table = FloatBuffer.allocate(channels * 258 + (mixes() ? 1024 : 0));
            table.put(augmentation().table());
            for (int c = 0; c < channels; c++)
                table.put(augmentation().mean()[c]).put(augmentation().std()[c]);
            if (mixes()) table.put(distortion.quantiles());
            return table.array();
        }

        void check(Gpu gpu, long... steps) {
            DevicePointer pixels = gpu.put(pixels());
            for (long step : steps) {
                float[] expected = new float[rows * size()];
                int[] expectedLabels = new int[mixes() ? 3 * rows : rows];
                expect(step, expected, expectedLabels);
                for (Elements of : Elements.values()) {
                    DevicePointer out = gpu.empty((long) of.bytes * expected.length);
                    DevicePointer outLabels = gpu.empty(4L * expectedLabels.length);
                    gpu.launch(
                            "batch.cu",
                            "batch" + of.suffix,
                            rows,
                            out,
                            outLabels,
                            pixels,
                            gpu.put(labels()),
                            gpu.put(table()),
                            gpu.control(step, false, new float[0], new float[0]),
                            rows,
                            count,
                            height,
                            width,
                            channels,
                            SEED,
                            pad,
                            flip ? 1 : 0,
                            shuffled ? 1 : 0,
                            1,
                            -1,
                            (float) distortion.jitter(),
                            distortion.cutout(),
                            mixes() ? 1 : 0,
                            0);
                    assertArrayEquals(of.rounded(expected), of.read(gpu, out, expected.length), this + " step " + step);
                    assertArrayEquals(
                            expectedLabels, gpu.ints(outLabels, expectedLabels.length), this + " step " + step);
                }
            }
        }
    }

    @Test
    void shuffledAugmentedBatchesAreTheReferencesInEveryEpoch() {
        Gpu.run("batch", gpu -> {
            new Drawn(37, 8, 8, 3, 5, 2, true, true).check(gpu, 0, 1, 6, 7, 8, 13, 14, 700);
            new Drawn(64, 5, 7, 1, 16, 4, false, true).check(gpu, 0, 3, 4);
            new Drawn(33, 5, 3, 4, 33, 0, true, true).check(gpu, 0, 1, 1L << 33);
            new Drawn(1, 3, 3, 2, 1, 1, true, true).check(gpu, 0, 1, 2);
        });
    }

    @Test
    void distortedAndMixedBatchesAreTheReferences() {
        Gpu.run("batch", gpu -> {
            Drawn drawn = new Drawn(37, 8, 8, 3, 5, 2, true, true);
            drawn.with(new Distortion(0.4, 0, 0)).check(gpu, 0, 8);
            drawn.with(new Distortion(0, 5, 0)).check(gpu, 0, 8);
            drawn.with(new Distortion(0, 0, 0.2)).check(gpu, 0, 6, 7, 700);
            drawn.with(new Distortion(1, 3, 1)).check(gpu, 0, 6, 7, 700);
            new Drawn(64, 5, 7, 1, 16, 0, false, true, new Distortion(0.3, 2, 4)).check(gpu, 0, 4);
            new Drawn(37, 8, 8, 3, 5, 2, true, false, new Distortion(0.3, 2, 4)).check(gpu, 0, 7);
        });
    }

    @Test
    void batchesInTheirOwnOrderEndWithEmptyRows() {
        Gpu.run("batch", gpu -> {
            new Drawn(37, 8, 8, 3, 5, 0, false, false).check(gpu, 0, 6, 7, 8, 1L << 40);
            new Drawn(37, 8, 8, 3, 5, 2, true, false).check(gpu, 0, 6, 7);
        });
    }

    @Test
    void everySampleComesOnceAnEpochWhateverTheSize() {
        Gpu.run("batch", gpu -> {
            for (int count : new int[] {1, 2, 3, 31, 32, 33, 127, 129, 1000}) {
                new Drawn(count, 1, 1, 1, count, 0, false, true).check(gpu, 0, 1, 2, 3);
            }
        });
    }
}
