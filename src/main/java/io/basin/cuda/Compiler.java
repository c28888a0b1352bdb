package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import jcuda.nvrtc.JNvrtc;
import jcuda.nvrtc.nvrtcProgram;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles kernels with NVRTC to machine code for one architecture, and keeps the result on disk.
 *
 * <p>A file of the cache is named by its inputs (source, options, architecture, compiler) and begins with a digest
 * of the rest, so a damaged one is seen and made again. Where the compiler is older than the GPU, it makes PTX for the
 * newest architecture it knows, which the driver translates.
 */
final class Compiler {
    private static final Logger LOG = LoggerFactory.getLogger(Compiler.class);
    private static final String HEADER = "basin.cuh";
    private static final int DIGEST = 32;

    private final int architecture;
    private final boolean newest;
    private final String version;
    private final String header;
    private final Path folder;

    /** @param architecture of the device, such as 90 */
    Compiler(int architecture) {
        int[] v = {0};
        int[] w = {0};
        Check.nvrtc(JNvrtc.nvrtcVersion(v, w), "nvrtcVersion");
        version = v[0] + "." + w[0];
        int[] known = architectures();
        newest = Arrays.stream(known).anyMatch(a -> a == architecture);
        this.architecture = newest
                ? architecture
                : Arrays.stream(known).filter(a -> a < architecture).max().orElseThrow(() -> tooOld(architecture));
        header = resource(HEADER);
        folder = Cache.folder("kernels");
    }

    private static int[] architectures() {
        int[] count = {0};
        Check.nvrtc(JNvrtc.nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
        int[] known = new int[count[0]];
        Check.nvrtc(JNvrtc.nvrtcGetSupportedArchs(known), "nvrtcGetSupportedArchs");
        return known;
    }

    private DeviceException tooOld(int asked) {
        return new DeviceException("NVRTC " + version + " compiles for no GPU as old as compute capability "
                + asked / 10 + "." + asked % 10 + ": use the cpu device");
    }

    /** The text of a file of {@code kernels/}. */
    static String resource(String file) {
        try (InputStream in = Compiler.class.getResourceAsStream("/io/basin/kernels/" + file)) {
            if (in == null) throw new DeviceException("the class path lacks the kernels' source " + file);
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new DeviceException("cannot read " + file + ": " + Reason.of(e), e);
        }
    }

    /** Machine code of a source that may include the common header, from the cache if it is there and sound. */
    byte[] code(String name, String source) {
        Path file = folder.resolve(key(name, source));
        byte[] kept = read(file);
        return kept != null ? kept : compile(name, source);
    }

    /** As {@link #code}, past the cache: for when the driver refuses a kept file. */
    byte[] compile(String name, String source) {
        long start = System.nanoTime();
        byte[] code = build(name, source);
        LOG.debug("compiled {} for {} in {} ms", name, target(), (System.nanoTime() - start) / 1_000_000);
        try {
            AtomicFile.write(folder.resolve(key(name, source)), channel -> {
                channel.write(java.nio.ByteBuffer.wrap(Sha256.digest().digest(code)));
                channel.write(java.nio.ByteBuffer.wrap(code));
            });
        } catch (UncheckedIOException e) {
            LOG.info("{}; kernels are compiled anew each time", e.getMessage());
        }
        return code;
    }

    private String target() {
        return (newest ? "sm_" : "compute_") + architecture;
    }

    /** Source that begins with this line is compiled without contraction of products and sums: the CPU's bits. */
    static final String EXACT = "// every product and sum rounds by itself\n";

    private String[] options(String source) {
        String contraction = "--fmad=" + !source.startsWith(EXACT);
        return new String[] {"--gpu-architecture=" + target(), "--std=c++17", "--generate-line-info", contraction};
    }

    private String key(String name, String source) {
        String all = String.join("\0", source, header, version, String.join(" ", options(source)));
        String hash = Sha256.of(all).substring(0, 24);
        return name.replace(".cu", "") + "-" + target() + "-" + hash + (newest ? ".cubin" : ".ptx");
    }

    private static byte @Nullable [] read(Path file) {
        try {
            if (!Files.exists(file)) return null;
            byte[] all = Files.readAllBytes(file);
            byte[] code = Arrays.copyOfRange(all, Math.min(DIGEST, all.length), all.length);
            if (code.length > 0 && Arrays.equals(Sha256.digest().digest(code), Arrays.copyOf(all, DIGEST))) return code;
            LOG.info("{} is damaged; compiling anew", file);
        } catch (IOException e) {
            LOG.info("{} cannot be read ({}); compiling anew", file, Reason.of(e));
        }
        return null;
    }

    private byte[] build(String name, String source) {
        nvrtcProgram program = new nvrtcProgram();
        Check.nvrtc(
                JNvrtc.nvrtcCreateProgram(program, source, name, 1, new String[] {header}, new String[] {HEADER}),
                "nvrtcCreateProgram");
        byte[] code;
        try {
            String[] options = options(source);
            int status = JNvrtc.nvrtcCompileProgram(program, options.length, options);
            if (status != 0) throw refused(name, status, program);
            code = newest ? cubin(program) : ptx(program);
        } catch (RuntimeException e) {
            JNvrtc.nvrtcDestroyProgram(program);
            throw e;
        }
        Check.nvrtc(JNvrtc.nvrtcDestroyProgram(program), "nvrtcDestroyProgram");
        return code;
    }

    private static DeviceException refused(String name, int status, nvrtcProgram program) {
        String[] log = {""};
        JNvrtc.nvrtcGetProgramLog(program, log);
        String said = String.valueOf(log[0]).strip().replaceAll("\\s*\\n\\s*", "; ");
        return new DeviceException("nvrtcCompileProgram failed on " + name + ": " + JNvrtc.nvrtcGetErrorString(status)
                + (said.isEmpty() ? "" : ": " + said));
    }

    private static byte[] cubin(nvrtcProgram program) {
        long[] size = {0};
        Check.nvrtc(JNvrtc.nvrtcGetCUBINSize(program, size), "nvrtcGetCUBINSize");
        byte[] code = new byte[Math.toIntExact(size[0])];
        Check.nvrtc(JNvrtc.nvrtcGetCUBIN(program, code), "nvrtcGetCUBIN");
        return code;
    }

    private static byte[] ptx(nvrtcProgram program) {
        String[] text = {null};
        Check.nvrtc(JNvrtc.nvrtcGetPTX(program, text), "nvrtcGetPTX");
        return (text[0] + "\0").getBytes(StandardCharsets.US_ASCII);
    }
}
