package io.basin.ensemble;

import io.basin.io.Safetensors;
import io.basin.io.Sha256;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A net's training, epoch by epoch, as its file's header has it: a hash for each whole epoch that covers all rates and batches
 * up to its end. Two nets of the same initialisation have in common the epochs whose hashes are equal.
 *
 * @param hashes of 8 hexadecimal digits each
 */
public record Lineage(List<String> hashes) {
    /** Key of a file's header. */
    public static final String KEY = "path";

    private static final int DIGITS = 8;

    public Lineage {
        hashes = List.copyOf(hashes);
    }

    /** As a header says it; empty where it does not. */
    public static Lineage of(Map<String, String> header) {
        String path = header.getOrDefault(KEY, "");
        return new Lineage(path.isEmpty() ? List.of() : List.of(path.split(" ")));
    }

    static Lineage of(ModelFile file) {
        try (Safetensors in = Safetensors.open(file.file())) {
            return of(in.metadata());
        }
    }

    /**
     * The same after more training.
     *
     * @param batches all that decides them and what a step makes of them, as text
     * @param lr of a schedule whose steps {@code from} to {@code to} are trained
     */
    public Lineage and(String batches, double[] lr, int from, int to, int stepsPerEpoch) {
        List<String> all = new ArrayList<>(hashes);
        for (int s = from; s < to; ) {
            int end = Math.min(to, (s / stepsPerEpoch + 1) * stepsPerEpoch);
            ByteBuffer rates = ByteBuffer.allocate(8 * (end - s));
            for (; s < end; s++) rates.putDouble(lr[s]);
            // Part of an epoch ends elsewhere in another net of the same run, and would hide what both have in common.
            if (end % stepsPerEpoch != 0) break;
            String before = all.isEmpty() ? "" : all.get(all.size() - 1);
            String hash = Sha256.of(before + batches + Sha256.of(rates.array()));
            all.add(hash.substring(0, DIGITS));
        }
        return new Lineage(all);
    }

    /** Epochs from the first on that both were trained by alike. */
    public int shared(Lineage other) {
        int n = 0;
        while (n < Math.min(hashes.size(), other.hashes.size()) && hashes.get(n).equals(other.hashes.get(n))) n++;
        return n;
    }

    /** As a header's entry. */
    public String header() {
        return String.join(" ", hashes);
    }
}
