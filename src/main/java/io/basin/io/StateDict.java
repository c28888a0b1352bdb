package io.basin.io;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Named tensors of another program's weights: a safetensors file, several with their index, or a checkpoint of PyTorch.
 *
 * <p>Only headers are read until a tensor is asked for.
 */
public interface StateDict extends AutoCloseable {
    /** Shapes by name, outermost size first, in the file's order; unmodifiable. */
    Map<String, List<Long>> shapes();

    /**
     * A tensor in float32, little endian, flattened in C order: a read-only view of the file itself where that holds it so,
     * otherwise widened or, of F64, rounded.
     */
    ByteBuffer weights(String name);

    @Override
    void close();

    static StateDict open(Path file) {
        if (file.toString().endsWith(ShardedTensors.ENDING)) return ShardedTensors.open(file);
        if (FileKind.isZip(file)) return TorchCheckpoint.open(file);
        return Safetensors.open(
                file, "name a checkpoint that torch.save of PyTorch 1.6 or later wrote, or a safetensors file");
    }
}
