package io.basin.cuda;

import io.basin.device.Cache;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens an NVIDIA GPU where its libraries are present. */
public final class CudaProvider implements DeviceProvider {
    private static final Logger LOG = LoggerFactory.getLogger(CudaProvider.class);

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public int priority() {
        return 10;
    }

    /** The software GPU is for tests and experiments; no training should run on it by accident. */
    @Override
    public Device openUnasked(int threads) {
        CudaDevice device = open(threads);
        if (!device.context.software()) return device;
        device.close();
        throw new DeviceException("only the software GPU is here, which is chosen by name alone");
    }

    @Override
    public CudaDevice open(int threads) {
        return open(threads, 0);
    }

    @Override
    public CudaDevice open(int threads, int number) {
        DeviceProvider.requireThreads(threads);
        return loaded(() -> {
            Cache.showToLoaders();
            Libraries.require();
            Natives.load();
            CudaDevice device = new CudaDevice(number);
            if (device.context.software())
                LOG.warn("software GPU: it computes as a GPU does, and its times mean nothing");
            return device;
        });
    }

    @Override
    public ForeignArrays foreignArrays(long stream, List<ForeignArrays.Array> arrays, int arenas) {
        return loaded(() -> new CudaForeignArrays(stream, arrays, arenas));
    }

    @Override
    public ForeignStep foreignStep(long stream, ForeignStep.Plan plan) {
        return loaded(() -> new CudaForeignStep(stream, plan));
    }

    private <T> T loaded(Supplier<T> work) {
        try {
            return work.get();
        } catch (ExceptionInInitializerError | NoClassDefFoundError | UnsatisfiedLinkError e) {
            throw Cache.refusal(name(), e);
        }
    }

    @Override
    public List<Finding> diagnose() {
        try {
            return loaded(() -> {
                Cache.showToLoaders();
                return Diagnosis.findings();
            });
        } catch (DeviceException e) {
            return List.of(Finding.of(String.valueOf(e.getMessage())));
        }
    }
}
