package io.basin.cpu;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import io.basin.device.DeviceException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that OpenMP gives to the calling thread, which is where oneDNN computes.
 *
 * <p>oneDNN divides a layer by the number of threads that OpenMP promises and never asks how many came: with fewer, part of the
 * result is not written, or the threads that came wait for the others forever. OpenMP keeps a number, a permission to give
 * fewer and a depth for each calling thread, the environment sets limits beyond them (OMP_THREAD_LIMIT, KMP_DEVICE_THREAD_LIMIT),
 * and other runtimes may be preloaded. So each thread sets its own and the team that then really forms is counted.
 */
final class Team {
    /** Causes of a small team, for messages. */
    private static final List<String> LIMITS =
            List.of("OMP_THREAD_LIMIT", "OMP_THREAD_LIMIT_ALL", "KMP_ALL_THREADS", "KMP_DEVICE_THREAD_LIMIT");

    private static final Logger LOG = LoggerFactory.getLogger(Team.class);
    private static final long SEMAPHORE_BYTES = 64;

    private final int size;
    /** The thread whose team was last seen to be whole. */
    private Thread counted;

    private Team(int size) {
        this.size = size;
        counted = Thread.currentThread();
    }

    /** The functions of whatever OpenMP oneDNN is linked to. */
    private static final class Calls {
        static {
            com.sun.jna.Native.register(Calls.class, library());
        }

        /** A runtime that was preloaded comes before the one that lies beside oneDNN. */
        private static NativeLibrary library() {
            try {
                NativeLibrary all = NativeLibrary.getProcess();
                all.getFunction("GOMP_parallel");
                return all;
            } catch (UnsatisfiedLinkError e) {
                return Native.openMp();
            }
        }

        static native void omp_set_num_threads(int count);

        static native void omp_set_dynamic(int allowed);

        static native void omp_set_max_active_levels(int levels);

        static native int omp_get_thread_limit();

        static native void GOMP_parallel(Pointer function, Pointer argument, int threads, int flags);
    }

    /** A team of {@code wanted} threads, or of as many as there are to be had, which is then said. */
    static Team of(int wanted) {
        ask(Math.min(wanted, Math.max(1, Calls.omp_get_thread_limit())));
        int size = count();
        if (size < wanted) {
            ask(size);
            LOG.warn("OpenMP gives {} of {} threads{}: computing with {}", size, wanted, limits(), size);
        }
        return new Team(size);
    }

    int size() {
        return size;
    }

    /** Prepares the calling thread. */
    void join() {
        ask(size);
        if (counted == Thread.currentThread()) return;
        int there = count();
        if (there != size) {
            throw new DeviceException("OpenMP gives this thread " + there + " of the " + size
                    + " threads that the cpu device computes with" + limits() + ": open the device with `threads` "
                    + there);
        }
        counted = Thread.currentThread();
    }

    private static void ask(int count) {
        Calls.omp_set_dynamic(0);
        Calls.omp_set_max_active_levels(1);
        Calls.omp_set_num_threads(count);
    }

    /** How many threads a parallel region has: each of them posts a semaphore once. */
    private static int count() {
        NativeLibrary c = NativeLibrary.getProcess();
        Function post = c.getFunction("sem_post");
        try (Memory semaphore = new Memory(SEMAPHORE_BYTES)) {
            c.getFunction("sem_init").invokeInt(new Object[] {semaphore, 0, 0});
            Calls.GOMP_parallel(post, semaphore, 0, 0);
            IntByReference posted = new IntByReference();
            c.getFunction("sem_getvalue").invokeInt(new Object[] {semaphore, posted});
            c.getFunction("sem_destroy").invokeInt(new Object[] {semaphore});
            return posted.getValue();
        }
    }

    private static String limits() {
        String set = LIMITS.stream()
                .filter(name -> System.getenv(name) != null)
                .map(name -> name + "=" + System.getenv(name))
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
        return set.isEmpty() ? "" : " (" + set + " in the environment)";
    }
}
