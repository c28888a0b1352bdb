package io.basin.train;

import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.nn.Nets;

/** A process of its own, whose software GPU has little memory, that plans the small CNN for batches given as arguments. */
final class ShortOfMemory {
    private ShortOfMemory() {}

    public static void main(String[] args) {
        try (Device device = Devices.open("cuda", 1)) {
            for (String batch : args) {
                try (Run run = Setup.of(Nets.smallCnn(Shape.of(1, 28, 28), 10), Integer.parseInt(batch))
                        .on(device)) {
                    System.out.println("fits " + run.plan.batchSize());
                } catch (DeviceException e) {
                    System.out.println("refused " + e.getMessage());
                }
                System.out.println("alive " + device.liveBytes());
            }
        }
    }
}
