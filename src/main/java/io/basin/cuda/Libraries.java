package io.basin.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import io.basin.device.DeviceException;
import io.basin.text.Format;
import java.util.List;

/** The four NVIDIA libraries that the device needs, and the symbols that it calls. */
final class Libraries {
    private static final String FOLDER = " and, if it is in none of the usual places, name its folder in "
            + SearchPath.VARIABLE + " or LD_LIBRARY_PATH";
    private static final String NEWER = "; with a driver of version 580 or newer CUDA 13's serves too";

    static final Library DRIVER = new Library(
            "libcuda.so.1",
            "libnvidia-(ptxjitcompiler|nvvm|gpucomp).*\\.so\\.[0-9.]+",
            "install NVIDIA's driver (version 525 or newer), or use the cpu device",
            symbols("""
                    cuInit cuDriverGetVersion cuGetErrorName cuGetErrorString cuDeviceGet cuDeviceGetCount
                    cuDeviceGetName cuDeviceGetAttribute cuDevicePrimaryCtxRetain cuDevicePrimaryCtxRelease_v2
                    cuCtxSetCurrent cuCtxGetDevice cuStreamCreate cuStreamDestroy_v2 cuStreamSynchronize
                    cuStreamBeginCapture_v2 cuStreamEndCapture cuEventCreate cuEventDestroy_v2 cuEventRecord
                    cuEventQuery cuEventSynchronize cuEventElapsedTime cuGraphInstantiateWithFlags cuGraphLaunch cuGraphExecDestroy
                    cuGraphDestroy cuMemGetInfo_v2 cuMemAlloc_v2 cuMemFree_v2 cuMemAllocHost_v2 cuMemFreeHost
                    cuMemsetD8Async cuMemcpyHtoDAsync_v2 cuMemcpyDtoHAsync_v2 cuMemcpyDtoDAsync_v2 cuModuleLoadData
                    cuModuleUnload cuModuleGetFunction cuLaunchKernel cuStreamIsCapturing cuMemGetAddressRange_v2
                    cuMemcpyHtoD_v2 cuMemcpyDtoH_v2
                    """));

    static final Library NVRTC = new Library(
            "libnvrtc.so.12",
            "libnvrtc-builtins\\.so\\.MINOR[0-9.]*",
            "install CUDA 12's NVRTC (package cuda-nvrtc-12-6 or pip's nvidia-cuda-nvrtc-cu12)" + FOLDER + NEWER,
            symbols("""
                    nvrtcGetErrorString nvrtcVersion nvrtcGetNumSupportedArchs nvrtcGetSupportedArchs nvrtcCreateProgram
                    nvrtcDestroyProgram nvrtcCompileProgram nvrtcGetPTXSize nvrtcGetPTX nvrtcGetCUBINSize nvrtcGetCUBIN
                    nvrtcGetProgramLogSize nvrtcGetProgramLog
                    """));

    static final Library CUBLAS = new Library(
            "libcublas.so.12",
            "libcublasLt\\.so\\.MAJOR[0-9.]*",
            "install CUDA 12's cuBLAS (package libcublas-12-6 or pip's nvidia-cublas-cu12)" + FOLDER + NEWER,
            symbols("""
                    cublasCreate_v2 cublasDestroy_v2 cublasGetProperty cublasGetStatusName cublasSetStream_v2
                    cublasSetWorkspace_v2 cublasSetMathMode cublasGemmEx
                    """));

    static final Library CUDNN = new Library(
            "libcudnn.so.9",
            "libcudnn_.*\\.so\\.9[0-9.]*",
            "install cuDNN 9 for CUDA 12 (package cudnn9-cuda-12 or pip's nvidia-cudnn-cu12)" + FOLDER,
            symbols("""
                    cudnnGetVersion cudnnGetCudartVersion cudnnGetErrorString cudnnCreate cudnnDestroy cudnnSetStream
                    cudnnCreateTensorDescriptor cudnnSetTensor4dDescriptor cudnnDestroyTensorDescriptor
                    cudnnCreateFilterDescriptor cudnnSetFilter4dDescriptor cudnnDestroyFilterDescriptor
                    cudnnCreateConvolutionDescriptor cudnnSetConvolution2dDescriptor cudnnSetConvolutionGroupCount
                    cudnnSetConvolutionMathType cudnnDestroyConvolutionDescriptor
                    cudnnGetConvolutionForwardWorkspaceSize cudnnGetConvolutionBackwardDataWorkspaceSize
                    cudnnGetConvolutionBackwardFilterWorkspaceSize cudnnConvolutionForward cudnnConvolutionBackwardData
                    cudnnConvolutionBackwardFilter cudnnTransformTensor
                    cudnnCreatePoolingDescriptor
                    cudnnSetPooling2dDescriptor cudnnDestroyPoolingDescriptor cudnnPoolingForward cudnnPoolingBackward
                    """));

    static final List<Library> ALL = List.of(DRIVER, NVRTC, CUBLAS, CUDNN);

    private Libraries() {}

    private static List<String> symbols(String names) {
        return List.of(names.split("\\s+"));
    }

    /** Finds every library and every symbol, or says in a sentence which one is missing or does not go with the others. */
    static void require() {
        ALL.forEach(Library::find);
        requireMatch(CUBLAS.find(), CUDNN.find());
    }

    /** NVRTC goes with any of them, but cuDNN loads cuBLAS by the name of its own version of CUDA. */
    private static void requireMatch(Library.Finding cublas, Library.Finding cudnn) {
        long built = Library.function(cudnn.handle(), "cudnnGetCudartVersion").invokeLong(new Object[0]) / 1000;
        String major = Library.major(cublas.soname());
        if (major.equals(String.valueOf(built))) return;
        throw new DeviceException(cudnn.path() + " is cuDNN for CUDA " + built + ", but " + cublas.path()
                + " is cuBLAS of CUDA " + major + ": install cuDNN 9 for CUDA " + major + " or cuBLAS of CUDA " + built
                + ", and name the folders of one set in " + SearchPath.VARIABLE);
    }

    /** The file of NVRTC's builtins, without which it compiles nothing, or a remark that they are missing. */
    static String builtins(Library.Finding nvrtc) {
        String name = "libnvrtc-builtins.so." + version(NVRTC, nvrtc);
        Pointer handle = Library.open(name, Library.RTLD_LAZY);
        return handle == null
                ? name + ": not found beside " + nvrtc.path() + "; NVIDIA's NVRTC compiles nothing without it"
                : name + ": in " + Library.path(handle);
    }

    /** A library's own version, such as 12.6. */
    static String version(Library library, Library.Finding found) {
        IntByReference a = new IntByReference();
        IntByReference b = new IntByReference();
        if (library == DRIVER) {
            Library.function(found.handle(), "cuDriverGetVersion").invokeInt(new Object[] {a});
            return a.getValue() / 1000 + "." + a.getValue() % 1000 / 10;
        }
        if (library == NVRTC) {
            Library.function(found.handle(), "nvrtcVersion").invokeInt(new Object[] {a, b});
            return a.getValue() + "." + b.getValue();
        }
        if (library == CUBLAS) {
            for (int part = 0; part < 2; part++) {
                Library.function(found.handle(), "cublasGetProperty").invokeInt(new Object[] {part, part == 0 ? a : b});
            }
            return a.getValue() + "." + b.getValue();
        }
        long v = Library.function(found.handle(), "cudnnGetVersion").invokeLong(new Object[0]);
        return Format.of("%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    }
}
