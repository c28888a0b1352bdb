package io.basin.cuda;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.basin.device.DeviceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One of the vendor's libraries as the dynamic linker finds it, looked at before JCuda's first call: where a library or a symbol
 * is missing, JCuda ends the whole JVM instead of throwing.
 *
 * @param soname the exact major version, such as {@code libcublas.so.12}
 * @param companions pattern of the names of further libraries beside it that it loads when it is used
 * @param remedy what to install
 * @param symbols all that JCuda calls on our behalf
 */
record Library(String soname, String companions, String remedy, List<String> symbols) {
    private static final int RTLD_LAZY = 1;
    private static final int RTLD_NOLOAD = 4;
    private static final int RTLD_DI_LINKMAP = 2;
    private static final NativeLibrary PROCESS = NativeLibrary.getProcess();
    private static final Function OPEN = PROCESS.getFunction("dlopen");
    private static final Function SYMBOL = PROCESS.getFunction("dlsym");
    private static final Function INFO = PROCESS.getFunction("dlinfo");
    private static final Pattern MAJOR = Pattern.compile("\\.so\\.(\\d+)");

    /** What the linker said. */
    record Finding(Path path, Pointer handle) {}

    /**
     * Loads the library and looks for every symbol.
     *
     * @throws DeviceException naming what is missing, other versions that are there, and what to install
     */
    Finding find() {
        if (open(RTLD_LAZY | RTLD_NOLOAD) == null) requireSound();
        Pointer handle = open(RTLD_LAZY);
        if (handle == null) throw new DeviceException(absent());
        List<String> missing =
                symbols.stream().filter(s -> symbol(handle, s) == null).toList();
        Path path = path(handle);
        if (!missing.isEmpty()) {
            throw new DeviceException(soname + " in " + path + " lacks " + missing.get(0)
                    + (missing.size() > 1 ? " and " + (missing.size() - 1) + " more" : "") + ": " + remedy);
        }
        return new Finding(path, handle);
    }

    private Pointer open(int mode) {
        return OPEN.invokePointer(new Object[] {soname, mode});
    }

    /** Refuses the file that the linker would take where its loading would end the process, and so the files that it loads itself. */
    private void requireSound() {
        String passed = null;
        for (Path file : SearchPath.files(soname)) {
            Elf.Fault fault = Elf.fault(file);
            if (fault == null) {
                requireSoundCompanions(file);
                return;
            }
            if (!fault.skipped()) throw unsound(file + " " + fault.text());
            if (passed == null) passed = file + " " + fault.text();
        }
        if (passed != null) throw unsound(passed);
    }

    private void requireSoundCompanions(Path file) {
        for (Path folder : List.of(file.getParent(), real(file).getParent())) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path other : files.sorted().toList()) {
                    if (!other.getFileName().toString().matches(companions)) continue;
                    Elf.Fault fault = Elf.fault(other);
                    if (fault != null && !fault.skipped()) throw unsound(other + " " + fault.text());
                }
            } catch (IOException | UncheckedIOException e) {
                // The linker reads no folders: one that cannot be listed is no fault.
            }
        }
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

    /** Where a loaded library lies, by the linker's own list. */
    private static Path path(Pointer handle) {
        try (com.sun.jna.Memory out = new com.sun.jna.Memory(8)) {
            int rc = INFO.invokeInt(new Object[] {handle, RTLD_DI_LINKMAP, out});
            return rc != 0
                    ? Path.of("?")
                    : Path.of(out.getPointer(0).getPointer(8).getString(0));
        }
    }

    private String absent() {
        List<Path> others = others();
        String said = linkersWords();
        // Found but not loadable: damaged, or lacking something that it needs in turn.
        if (!said.contains(soname + ": cannot open shared object file")) {
            return unsound(said).getMessage();
        }
        if (others.isEmpty()) return "no " + soname + " was found: " + remedy;
        return "found " + others.get(0).getFileName() + " in " + others.get(0).getParent() + ", need " + soname + ": "
                + remedy;
    }

    /** Why it was not loaded; asked through JNA, for between two calls from Java the linker's own message may change. */
    private String linkersWords() {
        try {
            return NativeLibrary.getInstance(soname).toString();
        } catch (UnsatisfiedLinkError e) {
            return String.valueOf(e.getMessage())
                    .lines()
                    .filter(l -> l.contains(": "))
                    .findFirst()
                    .orElse("for no reason given");
        }
    }

    /** The same library in other major versions, anywhere a linker or an installer would put it. */
    List<Path> others() {
        String stem = soname.substring(0, soname.indexOf(".so.") + 4);
        Set<Path> found = new LinkedHashSet<>();
        for (Path folder : SearchPath.folders()) {
            try (Stream<Path> files = Files.list(folder)) {
                files.filter(f -> f.getFileName().toString().startsWith(stem))
                        .filter(f -> !major(f.getFileName().toString()).equals(major(soname)))
                        .sorted()
                        .forEach(found::add);
            } catch (IOException | UncheckedIOException e) {
                // A folder that cannot be listed holds nothing for us.
            }
        }
        return List.copyOf(found);
    }

    private static String major(String name) {
        Matcher m = MAJOR.matcher(name);
        return m.find() ? m.group(1) : "";
    }
}
