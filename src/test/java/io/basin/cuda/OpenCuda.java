package io.basin.cuda;

import io.basin.device.Device;
import io.basin.device.DeviceException;

/** A process of its own that opens the device and says how that went: the linker's path is fixed when a process starts. */
public final class OpenCuda {
    private OpenCuda() {}

    /** With any argument it says what the doctor finds before that. */
    public static void main(String[] args) {
        if (args.length > 0) new CudaProvider().diagnose().forEach(f -> System.out.println("finding " + f.text()));
        try (Device device = new CudaProvider().open(1)) {
            System.out.println("opened " + device.describe());
            for (Library library : Libraries.ALL)
                System.out.println("from " + library.find().path());
        } catch (DeviceException e) {
            System.out.println("refused " + e.getMessage());
        }
        System.out.println("alive");
    }
}
