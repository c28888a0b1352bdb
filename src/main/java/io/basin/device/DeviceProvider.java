package io.basin.device;

import io.basin.Api;
import java.util.List;

/** Found by {@link java.util.ServiceLoader}; nothing else knows which devices there are. */
@Api
public interface DeviceProvider {
    /** The name that {@code --device} takes, such as {@code cpu}. */
    String name();

    /** Higher is tried first when the user names none. */
    int priority();

    /**
     * Opens the device.
     *
     * @param threads for host threads, 0 for all cores; see {@link #requireThreads}
     */
    Device open(int threads);

    /**
     * Opens one of several devices of this kind.
     *
     * @param number as the system counts them, from 0
     */
    default Device open(int threads, int number) {
        if (number == 0) return open(threads);
        throw new IllegalArgumentException("`device`: there is one " + name() + " device, got '" + name() + ":" + number
                + "': say '" + name() + "'");
    }

    /** More than any processor has cores: they would not help, and the system may refuse them. */
    int MOST_THREADS = 512;

    /** Refuses a number of threads that no device opens with. */
    static void requireThreads(int threads) {
        if (threads < 0 || threads > MOST_THREADS) {
            throw new IllegalArgumentException(
                    "`threads` must lie between 0 (all cores) and " + MOST_THREADS + ", got " + threads);
        }
    }

    /** Opens the device where the user named none: a provider may refuse to be chosen, as for a stand-in without hardware. */
    default Device openUnasked(int threads) {
        return open(threads);
    }

    /**
     * Passes over device arrays of the program around, on its stream and in the context that is current.
     *
     * @param stream the handle of a stream of that context, 0 for the default one
     * @param arenas of float32 to be made, zeroed
     */
    default ForeignArrays foreignArrays(long stream, List<ForeignArrays.Array> arrays, int arenas) {
        throw new DeviceException("the " + name() + " device computes on no arrays of others");
    }

    /** An optimizer's step over arrays of the program around; stream, context and errors as of {@link #foreignArrays}. */
    default ForeignStep foreignStep(long stream, ForeignStep.Plan plan) {
        throw new DeviceException("the " + name() + " device computes on no arrays of others");
    }

    /**
     * A line for people.
     *
     * @param right false where a trial gave a wrong result; a missing library is not wrong
     */
    record Finding(String text, boolean right) {
        /** A finding that is not a trial. */
        public static Finding of(String text) {
            return new Finding(text, true);
        }
    }

    /** Findings on what the device needs of this machine, whether it is there, and whether it works. */
    default List<Finding> diagnose() {
        return List.of();
    }
}
