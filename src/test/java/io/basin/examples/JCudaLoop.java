package io.basin.examples;

import static jcuda.driver.JCudaDriver.*;

import io.basin.average.Averager;
import io.basin.io.Dtype;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;

/** A JCuda program with its own context and weights has them averaged on its stream, here the default one, 0. */
public final class JCudaLoop {
    public static void main(String[] args) {
        cuInit(0);
        CUdevice device = new CUdevice();
        cuDeviceGet(device, 0);
        CUcontext context = new CUcontext();
        cuCtxCreate(context, 0, device);
        Borrowed.Floats w = new Borrowed.Floats(0, 0, 0);
        float[] read = new float[3];
        try (Averager ema = Averager.cuda(0).add("w", w.address(), 3, Dtype.F32).ema(0.5, false)) {
            for (int t = 1; t <= 3; t++) {
                cuMemcpyHtoD(w, Pointer.to(new float[] {t, 2 * t, -t}), 12); // stands for a step of training
                ema.step();
            }
            ema.swap(); // kernels that read w now compute with the average
            cuMemcpyDtoH(Pointer.to(read), w, 12);
            System.out.println("average " + Arrays.toString(read));
        }
        cuMemcpyDtoH(Pointer.to(read), w, 12);
        System.out.println("weights " + Arrays.toString(read));
        cuMemFree(w);
        cuCtxDestroy(context);
    }
}
