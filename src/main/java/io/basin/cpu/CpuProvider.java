package io.basin.cpu;

import io.basin.device.Cache;
import io.basin.device.Device;
import io.basin.device.DeviceProvider;

/** Opens the processor. */
public final class CpuProvider implements DeviceProvider {
    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public Device open(int threads) {
        DeviceProvider.requireThreads(threads);
        int cores = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        try {
            Cache.showToLoaders();
            return new CpuDevice(threads == 0 ? cores : threads);
        } catch (ExceptionInInitializerError | NoClassDefFoundError | UnsatisfiedLinkError e) {
            throw Cache.refusal(name(), e);
        }
    }
}
