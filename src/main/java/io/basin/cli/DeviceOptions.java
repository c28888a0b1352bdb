package io.basin.cli;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.text.Closest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** On what a command computes. */
final class DeviceOptions {
    @Option(names = "--device", defaultValue = "auto", description = "auto, or a device that 'basin doctor' lists")
    private String name;

    @Option(names = "--threads", defaultValue = "0", description = "threads; 0 for all cores")
    private int threads;

    Device open() {
        List<String> known = new ArrayList<>(List.of("auto"));
        Devices.providers().forEach(p -> known.add(p.name()));
        if (!known.contains(name)) {
            throw new IllegalArgumentException("--device: " + Closest.unknown("device", name, known));
        }
        return Devices.open(name, threads);
    }
}
