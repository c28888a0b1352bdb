package io.basin.cuda;

/**
 * The grid of batch norm's kernels over (rows, channels): blocks side by side over the channels, slabs of rows above one another.
 *
 * <p>It depends on the sizes alone and not on the device, as the slabs decide in which order a sum is added.
 *
 * @param lanes threads of a block that lie side by side, each with 16 bytes of a row, or one element where 16 bytes do not divide
 *     the channels
 */
record RowGrid(int blocks, int slabs, int lanes) {
    private static final int THREADS = 256;
    private static final int MOST_LANES = 32;
    /** Enough blocks of 256 threads for the memory of the largest devices. */
    private static final int MOST_BLOCKS = 512;
    /** Rows that are worth a thread, which also reads its channels' statistics. */
    private static final int LEAST_ROWS = 8;

    /** @param bytes of an element */
    static RowGrid of(int rows, int channels, int bytes) {
        int wide = 16 / bytes;
        int packs = channels % wide == 0 ? channels / wide : channels;
        int lanes = 1;
        while (lanes < packs && lanes < MOST_LANES) lanes *= 2;
        int blocks = (packs + lanes - 1) / lanes;
        int worth = rows / (LEAST_ROWS * (THREADS / lanes));
        return new RowGrid(blocks, Math.max(1, Math.min(MOST_BLOCKS / blocks, worth)), lanes);
    }

    int stripes() {
        return THREADS / lanes;
    }

    Launch shape(Launch launch) {
        return launch.shape(blocks, slabs, lanes, stripes());
    }
}
