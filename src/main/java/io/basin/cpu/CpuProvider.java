package io.basin.cpu;

import io.basin.device.Cache;
import io.basin.device.Device;
import io.basin.device.DeviceProvider;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import java.util.List;

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
    public List<Finding> diagnose() {
        return List.of(Finding.of("passes over weights on the processor: " + StepKernel.describe()));
    }

    @Override
    public ForeignArrays foreignArrays(long stream, List<ForeignArrays.Array> arrays, int arenas) {
        return new CpuForeignArrays(arrays, arenas, cores(), StepKernel.present());
    }

    @Override
    public ForeignStep foreignStep(long stream, ForeignStep.Plan plan) {
        return new CpuForeignStep(plan, cores(), StepKernel.present());
    }

    private static int cores() {
        return Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    }

    @Override
    public Device open(int threads) {
        DeviceProvider.requireThreads(threads);
        try {
            Cache.showToLoaders();
            return new CpuDevice(threads == 0 ? cores() : threads);
        } catch (ExceptionInInitializerError | NoClassDefFoundError | UnsatisfiedLinkError e) {
            throw Cache.refusal(name(), e);
        }
    }
}
