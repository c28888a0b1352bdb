package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.AdamW;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** NVIDIA's own NVRTC on every kernel. {@link SoftGpuModesTest} runs this with it, and says where it is not here. */
class NvrtcTest {
    private static final Path UNPACKED = Path.of("target", "nvrtc").toAbsolutePath();

    /** Where {@code mvn -Pnvrtc} put it, if it did. */
    static Optional<Path> folder() throws IOException {
        if (!Files.isDirectory(UNPACKED)) return Optional.empty();
        try (Stream<Path> files = Files.walk(UNPACKED)) {
            return files.filter(f -> f.getFileName().toString().matches("libnvrtc\\.so\\.\\d+"))
                    .map(Path::getParent)
                    .findFirst();
        }
    }

    /** With statements where a net's function or an optimizer's rule stands. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new TreeMap<>();
        for (Path path : Ptxas.sources()) {
            String file = path.getFileName().toString();
            String given = "";
            if (file.equals("map.cu"))
                given = "#define BASIN_VALUE tanhf(x)\n#define BASIN_SLOPE 1 - tanhf(x) * tanhf(x)\n";
            sources.put(file, given + Compiler.resource(file));
        }
        sources.put("update.cu", CudaArenas.source(new AdamW(0.01), 2));
        return sources;
    }

    @Test
    void everyKernelCompilesForEveryArchitectureAndForAnUnknownOneToPtx() throws IOException {
        if (folder().isEmpty() || !Libraries.NVRTC.find().path().startsWith(folder().get())) return;
        Natives.load();
        Map<String, String> sources = sources();
        assertTrue(sources.size() >= 8, sources.keySet().toString());
        for (Map.Entry<String, String> source : sources.entrySet()) {
            for (int architecture : Ptxas.ARCHITECTURES) {
                byte[] code = new Compiler(architecture).code(source.getKey(), source.getValue());
                String start = new String(code, 1, 3, StandardCharsets.US_ASCII);
                assertEquals("ELF", start, source.getKey() + " for sm_" + architecture);
            }
            byte[] ptx = new Compiler(91).code(source.getKey(), source.getValue());
            assertTrue(new String(ptx, StandardCharsets.US_ASCII).contains(".target sm_90"), source.getKey());
        }
    }
}
