package io.basin.device;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.basin.Api;
import io.basin.text.Require;
import java.math.BigDecimal;
import org.apache.commons.statistics.distribution.BetaDistribution;

/**
 * Changes of a sample in training beside crop and flip; 0 leaves a change out. {@link Augment} defines each.
 *
 * @param jitter a in [0, 1]: brightness, contrast and saturation are multiplied by factors in [1 - a, 1 + a]; for uint8 images
 * @param cutout height and width in pixels of the square that is cut out (DeVries and Taylor 2017, arXiv 1708.04552)
 * @param mixup alpha of Beta(alpha, alpha), which the share of a sample in its mixture with another one is drawn from (Zhang et al.
 *     2018, arXiv 1710.09412); for class labels
 */
@Api
public record Distortion(
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) double jitter,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) int cutout,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) double mixup) {
    /** Of samples that are left as they are. */
    public static final Distortion NONE = new Distortion(0, 0, 0);

    private static final int QUANTILES = 1024;
    private static final float STEPS = 1 << 16;

    /** @throws IllegalArgumentException naming what lies outside its range */
    public Distortion {
        if (!(jitter >= 0 && jitter <= 1)) {
            throw new IllegalArgumentException("`jitter` must lie in [0, 1], got " + jitter);
        }
        Require.atLeast("cutout", cutout, 0);
        if (mixup != 0 && !(mixup >= 1e-6 && mixup <= 100)) {
            throw new IllegalArgumentException("`mixup` must be 0 or lie from 0.000001 to 100, got "
                    + new BigDecimal(Double.toString(mixup)).toPlainString());
        }
    }

    /**
     * Refuses samples that this cannot change.
     *
     * @param floats whether they are numbers and not pictures in bytes
     * @param targets whether they have targets and not class labels
     * @throws IllegalArgumentException naming what they forbid
     */
    public void requireFit(int height, int width, boolean floats, boolean targets) {
        if (cutout > 0 && cutout >= Math.min(height, width)) {
            throw new IllegalArgumentException("`cutout` " + cutout + " is not below the image's " + height + " x "
                    + width + ": nothing may be left of it");
        }
        if (jitter > 0 && floats) {
            throw new IllegalArgumentException(
                    "`jitter` changes the colours of pictures, and these samples are numbers: leave it out");
        }
        if (mixup > 0 && targets) {
            throw new IllegalArgumentException(
                    "`mixup` mixes class labels, and these samples have targets: leave it out");
        }
    }

    /**
     * Of Beta(mixup, mixup), at (i + 1/2) / 1024: one of them, each as likely, is a share that mixup draws. Rounded to 2^-16, so that
     * a share and what it leaves of 1 are exact, and computed on the host, so that every device mixes by the same bits.
     */
    public float[] quantiles() {
        BetaDistribution beta = BetaDistribution.of(mixup, mixup);
        float[] quantiles = new float[QUANTILES];
        for (int i = 0; i < QUANTILES / 2; i++) {
            quantiles[i] = (float) Math.rint(beta.inverseCumulativeProbability((i + 0.5) / QUANTILES) * STEPS) / STEPS;
            quantiles[QUANTILES - 1 - i] = 1 - quantiles[i];
        }
        return quantiles;
    }
}
