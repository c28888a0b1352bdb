package io.basin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system that refuses what many network file systems refuse, by a library that the child loads first. */
final class Shim {
    private static final String SOURCE = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <fcntl.h>
            #include <stdarg.h>
            #include <stdlib.h>
            #include <sys/stat.h>
            #include <unistd.h>
            typedef int (*F)(int, int, void *);
            static int refuse(const char *name, int fd, int cmd, void *arg) {
              if (getenv("SHIM_NO_LOCKS") && (cmd == F_SETLK || cmd == F_SETLKW)) { errno = ENOLCK; return -1; }
              return ((F)dlsym(RTLD_NEXT, name))(fd, cmd, arg);
            }
            extern "C" int fcntl(int fd, int cmd, ...) {
              va_list l; va_start(l, cmd); void *arg = va_arg(l, void *); va_end(l);
              return refuse("fcntl", fd, cmd, arg);
            }
            extern "C" int fcntl64(int fd, int cmd, ...) {
              va_list l; va_start(l, cmd); void *arg = va_arg(l, void *); va_end(l);
              return refuse("fcntl64", fd, cmd, arg);
            }
            extern "C" int fsync(int fd) {
              struct stat s;
              if (getenv("SHIM_NO_FOLDER_SYNC") && fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) { errno = EINVAL; return -1; }
              return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
            }
            """;

    private Shim() {}

    /** Compiles it into {@code folder}. */
    static Path build(Path folder) throws IOException, InterruptedException {
        Path source = Files.writeString(folder.resolve("shim.cc"), SOURCE);
        Path library = folder.resolve("libshim.so");
        Process compiler = new ProcessBuilder(
                        "g++", "-w", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl")
                .inheritIO()
                .start();
        if (compiler.waitFor() != 0) throw new IOException("g++ did not compile " + source);
        return library;
    }
}
