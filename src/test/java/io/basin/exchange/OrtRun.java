package io.basin.exchange;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.basin.io.Json;
import io.basin.torch.RawTensors;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

/**
 * Runs models in ONNX Runtime on the same images and writes what they say. A program of its own, to be started through {@link
 * io.basin.torch.GoldenProcess}: ONNX Runtime ends the JVM with a segmentation fault where its command line is long.
 */
public final class OrtRun {
    private OrtRun() {}

    /** @param args a folder with {@code images}, and models; each gets a folder beside it with its outputs and its metadata */
    public static void main(String[] args) throws OrtException, IOException {
        RawTensors in = new RawTensors(Path.of(args[0]));
        FloatBuffer pixels = FloatBuffer.wrap(in.floats(RawTensors.IMAGES));
        long[] shape = Objects.requireNonNull(in.shapes().get(RawTensors.IMAGES));
        OrtEnvironment ort = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            for (String model : Arrays.asList(args).subList(1, args.length)) {
                RawTensors out = new RawTensors(Path.of(model + ".out"));
                try (OrtSession session = ort.createSession(model, options);
                        OnnxTensor images = OnnxTensor.createTensor(ort, pixels.duplicate(), shape);
                        OrtSession.Result result = session.run(Map.of("images", images))) {
                    for (Map.Entry<String, OnnxValue> output : result) write(out, output.getKey(), output.getValue());
                    Files.writeString(
                            out.directory().resolve("metadata.json"),
                            Json.text(session.getMetadata().getCustomMetadata()));
                }
            }
        }
    }

    private static void write(RawTensors out, String name, OnnxValue value) {
        OnnxTensor tensor = (OnnxTensor) value;
        float[] values = new float[tensor.getFloatBuffer().remaining()];
        tensor.getFloatBuffer().get(values);
        out.write(name, values, tensor.getInfo().getShape());
    }
}
