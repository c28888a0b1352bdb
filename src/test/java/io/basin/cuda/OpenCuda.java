package io.basin.cuda;

import io.basin.device.Device;
import io.basin.device.DeviceException;

/** A process of its own that opens the device and says how that went: the linker's path is fixed when a process starts. */
public final class OpenCuda {
    private OpenCuda() {}

    public static void main(String[] args) {
        try (Device device = new CudaProvider().open(1)) {
            System.out.println("opened " + device.describe());
        } catch (DeviceException e) {
            System.out.println("refused " + e.getMessage());
        }
        System.out.println("alive");
    }
}
