package io.basin.exchange;

import io.basin.io.AtomicFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Tensors as NumPy's archive of arrays: a ZIP file with one NAME.npy each (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
public final class Npz {
    private static final int ALIGNMENT = 64;
    /** Magic, version 1.0 and the two bytes of the header's length. */
    private static final int PREFIX = 10;

    private Npz() {}

    /** Writes float32 arrays under their names; equal input gives equal bytes. */
    public static void write(Path file, Map<String, TrainedNet.Tensor> tensors) {
        AtomicFile.write(file, channel -> {
            // The channel is its owner's to close.
            ZipOutputStream zip = new ZipOutputStream(Channels.newOutputStream(channel), StandardCharsets.UTF_8);
            zip.setLevel(Deflater.NO_COMPRESSION);
            for (Map.Entry<String, TrainedNet.Tensor> tensor : tensors.entrySet()) {
                ZipEntry entry = new ZipEntry(tensor.getKey() + ".npy");
                entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
                zip.putNextEntry(entry);
                write(zip, tensor.getValue());
                zip.closeEntry();
            }
            zip.finish();
        });
    }

    private static void write(OutputStream out, TrainedNet.Tensor tensor) throws IOException {
        String shape = tensor.shape().dims().stream().map(d -> d + ",").collect(Collectors.joining(" ", "(", ")"));
        String said = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
        int padding = Math.floorMod(-(PREFIX + said.length() + 1), ALIGNMENT);
        byte[] header = (said + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer bytes = ByteBuffer.allocate(PREFIX + header.length + 4 * tensor.values().length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("\u0093NUMPY\1\0".getBytes(StandardCharsets.ISO_8859_1))
                .putShort((short) header.length)
                .put(header);
        bytes.asFloatBuffer().put(tensor.values());
        out.write(bytes.array());
    }
}
