package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import io.basin.device.DeviceException;
import io.basin.io.OnFailure;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The kernels of {@code kernels/}, loaded when the device is opened, and those that users' functions are made into. */
final class Kernels implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Kernels.class);
    private static final int THREADS = 256;
    private static final List<String> FILES = List.of(
            "average.cu", "batch.cu", "ensemble.cu", "group.cu", "loss.cu", "norm.cu", "pointwise.cu", "step.cu");

    private final CUstream stream;
    private final int multiprocessors;
    private final Compiler compiler;
    private final Map<String, CUmodule> modules = new HashMap<>();
    private final Map<String, CUfunction> functions = new HashMap<>();
    private final Closer undo = new Closer();

    Kernels(CudaContext context) {
        this(context.stream, context.architecture(), context.multiprocessors, FILES);
    }

    /** Some files of {@code kernels/}, loaded into the context that is current, for launches on {@code stream}. */
    Kernels(CUstream stream, int architecture, int multiprocessors, List<String> files) {
        this.stream = stream;
        this.multiprocessors = multiprocessors;
        compiler = new Compiler(architecture);
        OnFailure.close(undo, u -> files.forEach(file -> modules.put(file, load(file, Compiler.resource(file)))));
    }

    CUfunction get(String file, String kernel) {
        return functions.computeIfAbsent(kernel, k -> function(Objects.requireNonNull(modules.get(file)), k));
    }

    /** A kernel of a source made at planning; the same source is loaded once. */
    CUfunction compile(String name, String source, String kernel) {
        return function(modules.computeIfAbsent(source, s -> load(name, s)), kernel);
    }

    /** A kernel of a file of {@code kernels/}, to be given its grid and arguments. */
    Launch launch(String file, String kernel) {
        return new Launch(stream, get(file, kernel), kernel);
    }

    /** The same in blocks of {@link #THREADS} threads, {@code items} in all or as many as fill the device. */
    Launch launch(String file, String kernel, long items) {
        return spread(launch(file, kernel), items);
    }

    /** The same of a source made at planning. */
    Launch launch(String name, String source, String kernel, long items) {
        return spread(new Launch(stream, compile(name, source, kernel), kernel + " in " + name), items);
    }

    Launch spread(Launch launch, long items) {
        return launch.shape(blocks(items, THREADS), 1, THREADS, 1);
    }

    private CUmodule load(String name, String source) {
        CUmodule module = new CUmodule();
        int status = cuModuleLoadData(module, compiler.code(name, source));
        if (status != 0) {
            LOG.info("cuModuleLoadData refused {} ({}); compiling anew", name, Check.driverStatus(status));
            Check.driver(cuModuleLoadData(module, compiler.compile(name, source)), "cuModuleLoadData of " + name);
        }
        undo.add("cuModuleUnload", () -> cuModuleUnload(module));
        return module;
    }

    private static CUfunction function(CUmodule module, String kernel) {
        CUfunction function = new CUfunction();
        Check.driver(cuModuleGetFunction(function, module, kernel), "cuModuleGetFunction of " + kernel);
        return function;
    }

    /** Blocks for {@code items} threads' worth of work, no more than fill the device: kernels stride over the grid. */
    int blocks(long items, int threads) {
        if (items < 1) throw new DeviceException("a kernel was given nothing to do");
        return (int) Math.min((items + threads - 1) / threads, 16L * multiprocessors);
    }

    @Override
    public void close() {
        undo.close();
    }
}
