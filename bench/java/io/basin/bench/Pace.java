package io.basin.bench;

import io.basin.device.Device;
import io.basin.device.RunState;

/** Has a benchmark wait now and then for a device that works behind its caller: what is done counts, not what is enqueued. */
final class Pace {
    private static final int AHEAD = 16;

    private final Device device;
    private final RunState control;
    private int calls;

    /** @param control something of the device's to read */
    Pace(Device device, RunState control) {
        this.device = device;
        this.control = control;
    }

    /** After each call. */
    void keep() {
        if (!device.isSynchronous() && ++calls % AHEAD == 0) control.read();
    }
}
