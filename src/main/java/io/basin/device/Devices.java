package io.basin.device;

import io.basin.Api;
import io.basin.text.Printable;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds devices. A named one opens or fails; without a name the best that opens is taken. */
@Api
public final class Devices {
    private static volatile String told = "";
    private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

    private Devices() {}

    public static List<DeviceProvider> providers() {
        List<DeviceProvider> found = new ArrayList<>();
        ServiceLoader.load(DeviceProvider.class).forEach(found::add);
        found.sort(Comparator.comparingInt(DeviceProvider::priority).reversed());
        return found;
    }

    /** The device that the system property {@code basin.device} names, or else the best of this machine, with all its cores. */
    public static Device best() {
        return open(System.getProperty("basin.device", "auto"), 0);
    }

    /**
     * Opens the device called {@code name}, or the best one for {@code auto}. Of several of a kind it is the first, and {@code cuda:1}
     * the second.
     *
     * @throws IllegalArgumentException when no such device is known
     * @throws DeviceException when it is known but cannot be opened
     */
    public static Device open(String name, int threads) {
        List<DeviceProvider> all = providers();
        if (!Require.given("name", name).equals("auto")) {
            return all.stream()
                    .filter(p -> p.name().equals(kind(name)))
                    .findFirst()
                    .orElseThrow(() -> unknown(name, all))
                    .open(threads, number(name));
        }
        List<String> refused = new ArrayList<>();
        DeviceException last = new DeviceException("no device is on the class path");
        for (DeviceProvider provider : all) {
            try {
                Device device = provider.openUnasked(threads);
                // One line, whatever the reasons.
                String reasons = String.join("; ", refused).replaceAll("\\s*\n\\s*", " ");
                // Of several devices of one process too.
                if (!reasons.equals(told)) LOG.info("computing on {}: {}", provider.name(), reasons);
                told = reasons;
                return device;
            } catch (DeviceException e) {
                refused.add(provider.name() + " does not open: " + e.getMessage());
                last = e;
            }
        }
        throw last;
    }

    /** Of {@code cuda:1}, {@code cuda}. */
    public static String kind(String name) {
        int end = Require.given("name", name).indexOf(':');
        return end < 0 ? name : name.substring(0, end);
    }

    private static int number(String name) {
        String number = name.substring(kind(name).length());
        if (number.isEmpty()) return 0;
        if (number.matches(":[0-9]{1,4}")) return Integer.parseInt(number.substring(1));
        throw new IllegalArgumentException(
                "`device`: '" + Printable.of(name) + "' numbers no device: the second is '" + kind(name) + ":1'");
    }

    private static IllegalArgumentException unknown(String name, List<DeviceProvider> all) {
        String known = all.stream().map(DeviceProvider::name).collect(Collectors.joining(", "));
        return new IllegalArgumentException(
                "`device`: unknown device '" + Printable.of(name) + "'; known: auto, " + known);
    }
}
