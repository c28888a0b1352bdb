package io.basin.cuda;

import io.basin.device.DeviceException;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/**
 * Turns a vendor's status into one exception that names the call and the status.
 *
 * <p>JCuda's own exceptions stay off: those of cuDNN translate numbers by a table that is older than cuDNN 9, in which the
 * numbers changed. Each library is asked for its own words instead.
 */
final class Check {
    private Check() {}

    static void driver(int status, String call) {
        if (status != 0) throw new DeviceException(call + " failed: " + driverStatus(status));
    }

    static String driverStatus(int status) {
        String[] name = {null};
        String[] text = {null};
        JCudaDriver.cuGetErrorName(status, name);
        JCudaDriver.cuGetErrorString(status, text);
        if (name[0] == null) return "status " + status;
        return text[0] == null ? name[0] : name[0] + " (" + text[0] + ")";
    }

    static void cublas(int status, String call) {
        if (status != 0) throw new DeviceException(call + " failed: " + JCublas2.cublasGetStatusName(status));
    }

    static void cudnn(int status, String call) {
        if (status != 0) throw new DeviceException(call + " failed: " + JCudnn.cudnnGetErrorString(status));
    }

    static void nvrtc(int status, String call) {
        if (status != 0) throw new DeviceException(call + " failed: " + JNvrtc.nvrtcGetErrorString(status));
    }
}
