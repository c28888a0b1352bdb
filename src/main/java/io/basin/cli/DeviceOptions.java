package io.basin.cli;

import io.basin.device.Device;
import io.basin.device.Devices;
import picocli.CommandLine.Option;

/** On what a command computes. */
final class DeviceOptions {
    @Option(names = "--device", defaultValue = "auto", description = "auto, or a device that 'basin doctor' lists")
    private String name;

    @Option(names = "--threads", defaultValue = "0", description = "threads; 0 for all cores")
    private int threads;

    Device open() {
        return Devices.open(name, threads);
    }
}
