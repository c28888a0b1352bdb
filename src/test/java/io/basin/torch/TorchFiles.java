package io.basin.torch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * State dicts in libtorch's hands: {@code write NET CHANNELS HEIGHTxWIDTH CLASSES TYPE FOLDER} makes a net and writes {@code net.pt} with its
 * state, random images and what it says of them; {@code read ... FILE FOLDER} has a net take up a safetensors file, read here by
 * the format's definition alone, and writes what that says of the same images. Start it through {@link GoldenProcess}.
 */
public final class TorchFiles {
    private static final String DICT = """
            def empty() -> Dict[str, Tensor]:
                d : Dict[str, Tensor] = {}
                return d
            def put(d: Dict[str, Tensor], name: str, value: Tensor) -> Dict[str, Tensor]:
                d[name] = value
                return d
            """;
    private static final int BATCH = 3;

    private TorchFiles() {}

    @SuppressWarnings("try")
    public static void main(String[] args) throws IOException {
        TorchTrain.configure(1);
        torch.manual_seed(1);
        int channels = Integer.parseInt(args[2]);
        String[] sides = args[3].split("x");
        int height = Integer.parseInt(sides[0]);
        TorchNet net = TorchNets.build(args[1], channels, height, Integer.parseInt(args[4]), false);
        Map<String, Tensor> state = new LinkedHashMap<>(net.parameters());
        state.putAll(net.buffers());
        RawTensors folder = new RawTensors(Path.of(args[6]));
        long[] shape = {BATCH, channels, height, Integer.parseInt(sides[1])};
        try (AutoGradMode constants = new AutoGradMode(false)) {
            if (args[0].equals("write")) {
                write(state, ScalarType.valueOf(args[5]), folder.directory().resolve("net.pt"));
                // Each of another brightness: noise alone looks the same to a net. A 7 x 7 stem begins with small
                // weights.
                double brightest = args[1].startsWith("resnet") ? 60 : 3;
                Tensor light = torch.rand(BATCH, channels, 1, 1).mul_(new Scalar(brightest));
                write(folder, RawTensors.IMAGES, torch.rand(shape).mul_(light));
            } else {
                read(state, Path.of(args[5]));
            }
            Tensor images = TorchTrain.tensor(folder.floats(RawTensors.IMAGES), shape);
            write(folder, args[0], torch.softmax(net.training(false).forward(images), 1));
        }
    }

    private static void write(Map<String, Tensor> state, ScalarType type, Path file) throws IOException {
        CompilationUnit script = torch.compile(DICT);
        IValueVector stack = new IValueVector();
        script.get_functions().get(0).run(stack);
        for (Map.Entry<String, Tensor> e : state.entrySet()) {
            Tensor t = e.getValue();
            if (e.getKey().startsWith("bn")
                    || e.getKey().contains(".bn")
                    || e.getKey().contains("downsample.1")
                    || e.getKey().contains("running")) {
                // Small scales: a residual sum that grows ends in probabilities of 0 and 1, which hide errors. Means
                // and
                // shifts about 0: a ReLU of nothing but negative numbers passes no image on.
                boolean scale = e.getKey().endsWith(".weight");
                boolean variance = e.getKey().endsWith("running_var");
                Tensor random = torch.rand(t.sizes()).mul_(new Scalar(scale || variance ? 0.4 : 1.0));
                t.copy_(random.add_(new Scalar(scale || variance ? 0.2 : -0.5)));
            }
            t.copy_(t.to(type));
            // Not in C order, as a tied or transposed weight is.
            Tensor stored = t.dim() == 2 ? t.to(type).t().contiguous().t() : t.to(type);
            put(script, stack, e.getKey(), stored);
            if (e.getKey().endsWith("running_var")) {
                put(
                        script,
                        stack,
                        e.getKey().replace("running_var", "num_batches_tracked"),
                        torch.ones(1).to(ScalarType.Long));
            }
        }
        Files.createDirectories(file.getParent());
        Files.write(file, torch.pickle_save(stack.get(0)).get());
    }

    private static void put(CompilationUnit script, IValueVector stack, String name, Tensor value) {
        stack.push_back(new IValue(name));
        stack.push_back(new IValue(value));
        script.get_functions().get(1).run(stack);
    }

    /** Every tensor of the net by its name, as load_state_dict has it. */
    private static void read(Map<String, Tensor> state, Path file) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) all.getLong();
        byte[] json = new byte[header];
        all.get(json);
        JsonNode entries = new ObjectMapper().readTree(json);
        for (Map.Entry<String, Tensor> e : state.entrySet()) {
            JsonNode entry = Objects.requireNonNull(entries.get(e.getKey()), e.getKey());
            long[] shape = new long[entry.get("shape").size()];
            for (int i = 0; i < shape.length; i++)
                shape[i] = entry.get("shape").get(i).asLong();
            float[] values = new float[(int) e.getValue().numel()];
            all.position(8 + header + entry.get("data_offsets").get(0).asInt());
            all.asFloatBuffer().get(values);
            e.getValue().copy_(TorchTrain.tensor(values, shape));
        }
    }

    private static void write(RawTensors folder, String name, Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        new FloatPointer(tensor.contiguous().data_ptr()).get(values);
        folder.write(name, values, tensor.sizes().vec().get());
    }
}
