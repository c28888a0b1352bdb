package io.basin.cuda;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import io.basin.Nullable;
import io.basin.device.DeviceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One of the vendor's libraries, looked at before JCuda's first call: where a library or a symbol is missing, JCuda ends the whole
 * JVM instead of throwing. It is loaded by its whole path, after the libraries that it loads itself: names that JCuda or
 * NVIDIA's libraries ask for later then mean the libraries loaded here.
 *
 * @param soname the name in the version that JCuda's natives ask for, such as {@code libcublas.so.12}; CUDA 13's serves too
 * @param companions pattern of the names of further libraries beside it that it loads when it is used; {@code MAJOR} stands for its
 *     own major version, {@code MINOR} for what its file's name says of its version
 * @param remedy what to install
 * @param symbols all that JCuda calls on our behalf
 */
record Library(String soname, String companions, String remedy, List<String> symbols) {
    static final int RTLD_LAZY = 1;
    private static final int RTLD_NOLOAD = 4;
    private static final int RTLD_DI_LINKMAP = 2;
    private static final NativeLibrary PROCESS = NativeLibrary.getProcess();
    private static final Function OPEN = PROCESS.getFunction("dlopen");
    private static final Function SYMBOL = PROCESS.getFunction("dlsym");
    private static final Function INFO = PROCESS.getFunction("dlinfo");
    private static final Pattern MAJOR = Pattern.compile("\\.so\\.(\\d+)");
    private static final Pattern MINOR = Pattern.compile("\\.so\\.(\\d+\\.\\d+)");

    /** Names that cuDNN's parts carry, in the order in which they need each other; others come after them. */
    private static final List<String> FIRST = List.of("libcudnn_graph", "libcudnn_ops", "libcudnn_cnn");
    /** For recurrent nets and attention; 245 MB. */
    private static final String UNUSED = "libcudnn_adv";

    /** Those that every convolution needs of a cuDNN that is split: where one is missing, the first call ends the process. */
    private static final List<String> NEEDED = List.of(
            "libcudnn_graph", "libcudnn_ops", "libcudnn_cnn", "libcudnn_heuristic", "libcudnn_engines_precompiled");
    /** A library that has its parts within is larger. */
    private static final long SPLIT = 16L << 20;

    /** A loaded library: its name and file. */
    record Finding(String soname, Path path, Pointer handle) {}

    /** Loads the library and looks for every symbol. */
    Finding find() {
        Pointer handle = null;
        String name = soname;
        List<String> names = names();
        for (int i = 0; handle == null && i < names.size(); i++) {
            name = names.get(i);
            handle = open(name, RTLD_LAZY | RTLD_NOLOAD);
        }
        if (handle == null) {
            Path file = file(names);
            if (file == null) throw new DeviceException(absent(names));
            name = file.getFileName().toString();
            handle = load(file);
        }
        requireParts(name, path(handle));
        Pointer loaded = handle;
        List<String> missing =
                symbols.stream().filter(s -> symbol(loaded, s) == null).toList();
        Path path = path(handle);
        if (!missing.isEmpty()) {
            throw new DeviceException(name + " in " + path + " lacks " + missing.get(0)
                    + (missing.size() > 1 ? " and " + (missing.size() - 1) + " more" : "") + ": " + remedy);
        }
        return new Finding(name, path, handle);
    }

    private void requireParts(String name, Path file) {
        if (this != Libraries.CUDNN || !isSplit(file)) return;
        for (String part : NEEDED) {
            String wanted = part + ".so." + major(name);
            if (open(wanted, RTLD_LAZY) == null)
                throw new DeviceException(name + " in " + file + " lacks its part " + wanted + ": " + remedy);
        }
    }

    /** Whether a library names the parts that it loads. */
    private static boolean isSplit(Path file) {
        try {
            return Files.size(file) < SPLIT
                    && Files.readString(file, StandardCharsets.ISO_8859_1).contains(NEEDED.get(0) + ".so");
        } catch (IOException e) {
            return false;
        }
    }

    /** Those that serve, the one that JCuda was built for first: CUDA 13's need a driver that knows CUDA 13. */
    private List<String> names() {
        if (!soname.endsWith(".12") || driver() < 13000) return List.of(soname);
        return List.of(soname, soname.replaceAll("12$", "13"));
    }

    /** The version of CUDA that the driver knows, such as 12060; the newest where it is not loaded, as in reports without a device. */
    private static int driver() {
        Pointer driver = open("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
        Pointer version = driver == null ? null : symbol(driver, "cuDriverGetVersion");
        if (version == null) return Integer.MAX_VALUE;
        IntByReference known = new IntByReference();
        Function.getFunction(version).invokeInt(new Object[] {known});
        return known.getValue();
    }

    static Pointer open(String name, int mode) {
        return OPEN.invokePointer(new Object[] {name, mode});
    }

    /** The file to load; one whose loading would end the process is refused, and so are the files that it loads itself. */
    private @Nullable Path file(List<String> names) {
        String passed = null;
        Stream<Path> files = isDriver() ? SearchPath.ofDriver(names) : SearchPath.files(names);
        for (Path file : (Iterable<Path>) files::iterator) {
            Elf.Fault fault = Elf.fault(file);
            if (fault == null) return file;
            if (!fault.skipped()) throw unsound(file + " " + fault.text());
            if (passed == null) passed = file + " " + fault.text();
        }
        if (passed != null) throw unsound(passed);
        return null;
    }

    private boolean isDriver() {
        return this == Libraries.DRIVER;
    }

    private Pointer load(Path file) {
        for (Path other : companions(file)) {
            boolean ours = !isDriver() && !other.getFileName().toString().startsWith(UNUSED);
            if (ours) loaded(other);
        }
        return loaded(file);
    }

    private Pointer loaded(Path file) {
        Pointer handle = open(file.toString(), RTLD_LAZY);
        if (handle == null) throw unsound(linkersWords(file));
        return handle;
    }

    /** Sound files beside a library that it loads itself, in the order in which they need each other. */
    private List<Path> companions(Path file) {
        Matcher whole = MINOR.matcher(real(file).getFileName().toString());
        String major = major(file.getFileName().toString());
        String minor = whole.find() ? whole.group(1) + "\\b" : major;
        Pattern names = Pattern.compile(companions.replace("MAJOR", major).replace("MINOR", minor));
        Map<String, Path> found = new LinkedHashMap<>();
        for (Path folder : List.of(file.getParent(), real(file).getParent())) {
            for (Path other : SearchPath.matching(folder, "*.so*")) {
                String name = other.getFileName().toString();
                if (!names.matcher(name).matches()) continue;
                Elf.Fault fault = Elf.fault(other);
                if (fault == null) found.putIfAbsent(name, other);
                else if (!fault.skipped()) throw unsound(other + " " + fault.text());
            }
        }
        return found.values().stream()
                .sorted(Comparator.comparing(Library::rank))
                .toList();
    }

    private static int rank(Path part) {
        String name = part.getFileName().toString();
        int place = FIRST.indexOf(name.substring(0, name.indexOf(".so")));
        return place < 0 ? FIRST.size() : place;
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            return file.toAbsolutePath();
        }
    }

    private DeviceException unsound(String why) {
        return new DeviceException(soname + " cannot be loaded (" + why + "): " + remedy);
    }

    private static Pointer symbol(Pointer handle, String name) {
        return SYMBOL.invokePointer(new Object[] {handle, name});
    }

    /** A function of a library that was found. */
    static Function function(Pointer handle, String name) {
        return Function.getFunction(symbol(handle, name));
    }

    /** The file of a loaded library, by the linker's own list. */
    static Path path(Pointer handle) {
        try (com.sun.jna.Memory out = new com.sun.jna.Memory(8)) {
            int rc = INFO.invokeInt(new Object[] {handle, RTLD_DI_LINKMAP, out});
            return rc != 0
                    ? Path.of("?")
                    : Path.of(out.getPointer(0).getPointer(8).getString(0));
        }
    }

    private String absent(List<String> names) {
        List<Path> others = isDriver() ? List.of() : others(names);
        if (others.isEmpty()) return "no " + soname + " was found: " + remedy;
        return "found " + others.get(0).getFileName() + " in " + others.get(0).getParent() + ", need " + soname + ": "
                + remedy;
    }

    /** Why it was not loaded; asked through JNA, as between two calls from Java the linker's own message may change. */
    private static String linkersWords(Path file) {
        try {
            return NativeLibrary.getInstance(file.toString()).toString();
        } catch (UnsatisfiedLinkError e) {
            return String.valueOf(e.getMessage())
                    .lines()
                    .filter(l -> l.contains(": "))
                    .findFirst()
                    .orElse("for no reason given");
        }
    }

    /** The same library in other major versions than those names', anywhere a linker or an installer would put it. */
    List<Path> others(List<String> names) {
        String stem = soname.substring(0, soname.indexOf(".so.") + 4);
        Set<String> majors = names.stream().map(Library::major).collect(Collectors.toSet());
        return SearchPath.folders().stream()
                .flatMap(folder -> SearchPath.matching(folder, stem + "*").stream())
                .filter(f -> !majors.contains(major(f.getFileName().toString())))
                .distinct()
                .toList();
    }

    static String major(String name) {
        Matcher m = MAJOR.matcher(name);
        return m.find() ? m.group(1) : "";
    }
}
