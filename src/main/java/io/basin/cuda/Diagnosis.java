package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Binding;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider.Finding;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** The doctor's findings on CUDA: each library, the probes of it, and a trial of a training step's parts. */
final class Diagnosis {
    private static final int ROWS = 4;
    private static final int SIZE = 5;
    private static final String TF32 = "NVIDIA_TF32_OVERRIDE";

    private Diagnosis() {}

    static List<Finding> findings() {
        List<Finding> findings = new ArrayList<>();
        boolean complete = true;
        for (Library library : Libraries.ALL) {
            try {
                Library.Finding found = library.find();
                findings.add(Finding.of(found.soname() + ": " + Libraries.version(library, found) + " in "
                        + found.path() + ", all " + library.symbols().size() + " symbols are there"
                        + others(library, found)));
                if (library == Libraries.NVRTC) findings.add(Finding.of(Libraries.builtins(found)));
            } catch (DeviceException e) {
                findings.add(Finding.of(library.soname() + ": " + e.getMessage()));
                complete = false;
            }
        }
        String override = System.getenv(TF32);
        if (override != null) {
            findings.add(Finding.of(TF32 + " is set to " + override
                    + ": cuBLAS and cuDNN follow it, whatever `precision` says; unset it"));
        }
        if (complete) findings.addAll(trial());
        return findings;
    }

    private static String others(Library library, Library.Finding found) {
        List<String> others = library.others(List.of(found.soname())).stream()
                .map(p -> p.getFileName().toString())
                .distinct()
                .toList();
        return others.isEmpty() ? "" : " (also found, unused: " + String.join(", ", others) + ")";
    }

    private static List<Finding> trial() {
        List<Finding> findings = new ArrayList<>();
        try {
            Libraries.require();
            Natives.load();
            try (CudaDevice device = new CudaDevice()) {
                findings.add(Finding.of("device: " + device.describe()));
                int gpus = device.context.gpus;
                if (gpus > 1) findings.add(Finding.of(gpus + " GPUs: cuda:0 to cuda:" + (gpus - 1)));
                findings.add(Finding.of(precision(device.context)));
                findings.addAll(trial(device));
            }
        } catch (DeviceException e) {
            findings.add(Finding.of("does not work: " + e.getMessage()));
        }
        return findings;
    }

    private static String precision(CudaContext context) {
        return context.hasTensorCores()
                ? "precision: fp32 computes convolutions in TF32, as PyTorch does by default; strict and bf16 are there too"
                : "precision: float32; this device has neither TF32 nor bfloat16, and tf32 and bf16 are refused";
    }

    /** A convolution whose sums are known, a batch norm whose moments are, and both once more as a captured graph. */
    private static List<Finding> trial(CudaDevice device) {
        Layer.Conv conv = new Layer.Conv(1, 3, 1, 0, 1, false, false, Initializer.constant(1));
        Layer.BatchNorm norming = new Layer.BatchNorm(1e-5, 0.1, false);
        try (ParameterStore storage = new ParameterStore(true);
                PlanContext scope = new PlanContext(storage, PlanContext.Mode.TRAIN, Precision.STRICT, 2)) {
            Shape shape = Shape.of(ROWS, 1, SIZE, SIZE);
            CudaLayout layout = CudaLayout.of(shape);
            Tensor pixels =
                    new Tensor("pixels", shape, layout, scope.at(0, "conv").kept(layout.bytes()), null);
            try (Op sums = device.plan(scope, conv, List.of(pixels), 0, null);
                    Op norm = device.plan(scope.at(1, "norm"), norming, List.of(sums.output()), 0, null)) {
                scope.uses(sums.output(), norm.output());
                scope.outlives(sums.output());
                Binding binding = scope.allocate(device, ROWS);
                storage.initialise(device, 1);
                sums.bind(binding);
                norm.bind(binding);
                return trial(device, binding.memory(Arena.ACTIVATIONS), pixels, sums, norm);
            }
        }
    }

    private static List<Finding> trial(CudaDevice device, Memory values, Tensor x, Op sums, Op norm) {
        float[] pixels = new float[ROWS * SIZE * SIZE];
        for (int i = 0; i < pixels.length; i++) pixels[i] = i / 255f;
        device.pack(FloatBuffer.wrap(pixels), x.layout(), values, x.value().offset());
        Runnable forward = () -> {
            sums.forward();
            norm.forward();
        };
        forward.run();
        Tensor result = norm.output();
        float[] eager = read(device, values, result);
        FloatBuffer nothing = FloatBuffer.allocate(eager.length);
        Runnable clear = () ->
                device.pack(nothing, result.layout(), values, result.value().offset());
        try (Device.Recording recording = device.record(forward)) {
            return List.of(
                    verdict("cuDNN convolution", summed(read(device, values, sums.output()), pixels)),
                    verdict("batch norm", normalised(eager)),
                    verdict("captured replay", replays(recording, clear, () -> read(device, values, result), eager)));
        }
    }

    /** Clears the result before each replay: earlier results would make an empty graph look right. */
    static boolean replays(Device.Recording recording, Runnable clear, Supplier<float[]> result, float[] expected) {
        for (int i = 0; i < 2; i++) {
            clear.run();
            recording.replay();
            if (!Arrays.equals(expected, result.get())) return false;
        }
        return true;
    }

    private static Finding verdict(String what, boolean good) {
        return new Finding(what + ": " + (good ? "right" : "WRONG"), good);
    }

    private static float[] read(CudaDevice device, Memory memory, Tensor t) {
        float[] out = new float[Math.toIntExact(t.shape().elements())];
        device.unpack(memory, t.value().offset(), t.layout(), FloatBuffer.wrap(out));
        return out;
    }

    /** The pixels rise evenly, so the sum of a 3 x 3 window is nine times its middle. */
    private static boolean summed(float[] sums, float[] pixels) {
        int out = SIZE - 2;
        for (int i = 0; i < sums.length; i++) {
            int middle = i / (out * out) * SIZE * SIZE + (i / out % out + 1) * SIZE + i % out + 1;
            if (!(Math.abs(9 * pixels[middle] - sums[i]) < 1e-4)) return false;
        }
        return true;
    }

    private static boolean normalised(float[] y) {
        double mean = 0;
        double squares = 0;
        for (float v : y) {
            mean += v / (double) y.length;
            squares += (double) v * v / y.length;
        }
        return Math.abs(mean) < 1e-4 && Math.abs(squares - mean * mean - 1) < 1e-2;
    }
}
