package io.basin.device;

import io.basin.cuda.Cuda;
import java.util.stream.Stream;

/** A device under test: every one that is found; those that compute on the host's threads with one and with two. */
public record Subject(DeviceProvider provider, int threads) {
    public Device open() {
        return provider.open(threads);
    }

    /** For {@code @MethodSource("io.basin.device.Subject#all")}. A GPU that is not here is printed, not hidden. */
    public static Stream<Subject> all() {
        return Devices.providers().stream()
                .filter(Subject::opens)
                .flatMap(p -> (p.name().equals("cpu") ? Stream.of(1, 2) : Stream.of(1))
                        .map(threads -> new Subject(p, threads)));
    }

    /** Whether the device computes in bfloat16; one that does not must refuse it by the flag's name. */
    public boolean bfloat16() {
        try (Device device = open()) {
            return device.supports(Precision.BF16);
        }
    }

    private static boolean opens(DeviceProvider provider) {
        try (Device device = provider.open(1)) {
            return device.liveBytes() == 0;
        } catch (DeviceException e) {
            if (provider.name().equals("cpu") || Cuda.expected()) throw e;
            System.out.println("NOT COVERED: device " + provider.name() + ": " + e.getMessage());
            return false;
        }
    }

    @Override
    public String toString() {
        return provider.name() + ", threads " + threads;
    }
}
