package io.basin.examples;

import static jcuda.driver.JCudaDriver.*;

import io.basin.average.FusedStep;
import io.basin.device.Sgd;
import io.basin.io.Dtype;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;

/** A CUDA program with its own context, stream and arrays, here in JCuda, has its weights stepped and averaged. */
public final class Borrowed {
    /** JCuda tells an address to subclasses alone; streams likewise. Here: the default stream, 0. */
    static final class Floats extends CUdeviceptr {
        Floats(float... values) {
            cuMemAlloc(this, 4L * values.length);
            cuMemcpyHtoD(this, Pointer.to(values), 4L * values.length);
        }

        long address() {
            return getNativePointer();
        }
    }

    public static void main(String[] args) {
        cuInit(0);
        CUdevice device = new CUdevice();
        cuDeviceGet(device, 0);
        CUcontext context = new CUcontext();
        cuCtxCreate(context, 0, device);
        Floats w = new Floats(1, 2, 3, 4);
        Floats g = new Floats(1, 1, 1, 1);
        Floats v = new Floats(0, 0, 0, 0);
        Floats mean = new Floats(0, 0, 0, 0);
        double[] lr = {0.5, 0.25};
        double[] alpha = {1, 0.5};
        try (FusedStep step = FusedStep.cuda(0)
                .add("w", w.address(), 4, Dtype.F32)
                .add("g", g.address(), 4, Dtype.F32)
                .add("m", v.address(), 4, Dtype.F32)
                .add("a", mean.address(), 4, Dtype.F32)
                .lr(lr)
                .average(alpha)
                .build(new Sgd(0.5, 0, false))) {
            for (int t = 0; t < lr.length; t++) step.run(); // each after the backward pass that fills g
        }
        float[] average = new float[4];
        cuMemcpyDtoH(Pointer.to(average), mean, 16);
        System.out.println("average " + Arrays.toString(average));
        for (Floats x : new Floats[] {w, g, v, mean}) cuMemFree(x);
        cuCtxDestroy(context);
    }
}
