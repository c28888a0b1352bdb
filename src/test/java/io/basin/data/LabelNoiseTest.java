package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LabelNoiseTest {
    private final Dataset clean = SyntheticSet.synthetic(2000, 4, 4, 1, 5, 3);

    @Test
    void exactlyTheShareIsWrongAndNoOtherLabelMoves() {
        int[] labels = clean.labels().clone();
        Dataset noisy = clean.withLabelNoise(0.2, 7);
        int wrong = 0;
        for (int i = 0; i < labels.length; i++) wrong += noisy.labels()[i] == labels[i] ? 0 : 1;
        assertEquals(400, wrong);
        assertArrayEquals(labels, clean.labels(), "the clean set is as it was");
        assertArrayEquals(clean.pixels(), noisy.pixels());
        assertNotEquals(clean.sha256(), noisy.sha256());
    }

    @Test
    void everyOtherClassIsEquallyLikely() {
        Dataset noisy = clean.withLabelNoise(0.99, 7);
        int[] moved = new int[5];
        for (int i = 0; i < clean.count(); i++) moved[(noisy.labels()[i] - clean.labels()[i] + 5) % 5]++;
        assertEquals(20, moved[0]);
        // 495 expected of each; 4 standard deviations are 77.
        for (int k = 1; k < 5; k++) assertEquals(495, moved[k], 77, Arrays.toString(moved));
    }

    @Test
    void theSameSeedGivesTheSameLabelsAndAnotherSeedOthers() {
        assertArrayEquals(
                clean.withLabelNoise(0.3, 7).labels(),
                clean.withLabelNoise(0.3, 7).labels());
        assertNotEquals(
                clean.withLabelNoise(0.3, 7).sha256(),
                clean.withLabelNoise(0.3, 8).sha256());
        assertSame(clean, clean.withLabelNoise(0, 7));
    }

    @Test
    void targetsHaveNoLabelsThatCouldBeWrong() {
        Dataset targets = Dataset.of(new float[][] {{1}, {2}}, new float[][] {{1}, {0}});
        assertThrows(IllegalStateException.class, () -> targets.withLabelNoise(0.5, 1));
    }
}
