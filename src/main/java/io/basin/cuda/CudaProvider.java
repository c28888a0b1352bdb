package io.basin.cuda;

import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;

/** Opens the first GPU of NVIDIA's, where its libraries are there. */
public final class CudaProvider implements DeviceProvider {
    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public int priority() {
        return 10;
    }

    @Override
    public Device open(int threads) {
        if (threads < 0) throw new IllegalArgumentException("--threads must not be negative, got " + threads);
        try {
            Libraries.require();
            Natives.load();
            return new CudaDevice();
        } catch (ExceptionInInitializerError | NoClassDefFoundError | UnsatisfiedLinkError e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new DeviceException("the cuda device cannot be opened: " + cause.getMessage(), cause);
        }
    }
}
