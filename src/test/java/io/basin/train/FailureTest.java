package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Elementwise;
import io.basin.device.Images;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Subject;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** When planning fails half-way, what it built is freed and the message says where. */
class FailureTest {
    private static final String ALL = "io.basin.device.Subject#all";

    /** The device, whose call of {@code method} number {@code fatal} (counted from 1) fails. */
    private static Device failing(Device device, String method, int fatal) {
        AtomicInteger calls = new AtomicInteger();
        return (Device) Proxy.newProxyInstance(
                Device.class.getClassLoader(), new Class<?>[] {Device.class}, (proxy, called, arguments) -> {
                    if (called.getName().equals(method) && calls.incrementAndGet() == fatal) {
                        throw new DeviceException("injected: " + method + " " + fatal);
                    }
                    try {
                        return called.invoke(device, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static Plan plan(Device device, Graph net, ParameterStore storage, Images images, RunState control) {
        Setup setup = Setup.of(net, 5);
        Model model = new Model(device, net, setup.loss(), setup.precision(), storage);
        return Plan.training(model, images, control, setup.batch());
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void everyFailingAllocationOfAPlanFreesTheOthers(Subject subject) {
        Graph net = UserNets.plain();
        try (Device device = subject.open()) {
            Images images = Sets.random(device, 1, 21, net.input().shape(), 5);
            try (images;
                    RunState control = new RunState(device)) {
                long before = device.liveBytes();
                int fatal = 1;
                while (true) {
                    ParameterStore storage = new ParameterStore(true);
                    try (storage;
                            Plan plan = plan(failing(device, "allocate", fatal), net, storage, images, control)) {
                        plan.forward();
                        break;
                    } catch (DeviceException e) {
                        assertEquals("injected: allocate " + fatal++, e.getMessage());
                    }
                    assertEquals(before, device.liveBytes());
                }
                // Six arenas of the model, values and workspace.
                assertEquals(9, fatal);
                assertEquals(before, device.liveBytes());
            }
            assertEquals(0, device.liveBytes());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aLayerThatCannotBePlannedLeavesNothingBehind(Subject subject) {
        Graph net = UserNets.plain();
        // The batch, four layers and the loss.
        for (String call : new String[] {"batch 1", "plan 1", "plan 2", "plan 3", "plan 4", "loss 1"}) {
            String[] words = call.split(" ");
            try (Device device = subject.open()) {
                Images images = Sets.random(device, 1, 21, net.input().shape(), 5);
                try (images;
                        RunState control = new RunState(device);
                        ParameterStore storage = new ParameterStore(true)) {
                    long before = device.liveBytes();
                    Device broken = failing(device, words[0], Integer.parseInt(words[1]));
                    assertThrows(DeviceException.class, () -> plan(broken, net, storage, images, control));
                    assertEquals(before, device.liveBytes());
                    try (Plan plan = plan(device, net, storage, images, control)) {
                        plan.forward();
                    }
                }
                assertEquals(0, device.liveBytes());
            }
        }
    }

    /** As when a smaller batch is tried after memory ran out. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aModelWhoseAllocationFailedCanBePlannedAgainAtItsOwnSize(Subject subject) {
        Graph net = UserNets.plain();
        try (Device device = subject.open();
                Run fresh = Setup.of(net, 5).on(device);
                ParameterStore storage = new ParameterStore(true)) {
            Device broken = failing(device, "allocate", 3);
            assertThrows(DeviceException.class, () -> plan(broken, net, storage, fresh.images, fresh.control));
            try (Plan plan = plan(device, net, storage, fresh.images, fresh.control)) {
                plan.forward();
                for (Arena arena : new Arena[] {Arena.PARAMS, Arena.STATE, Arena.AVERAGE}) {
                    assertEquals(
                            fresh.storage.memory(arena).bytes(),
                            storage.memory(arena).bytes(),
                            arena.name());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aFailureWhileRunningOrWhatCannotRunNamesTheLayer(Subject subject) {
        Elementwise thrower = new Elementwise() {
            @Override
            public String name() {
                return "thrower";
            }

            @Override
            public float value(float x) {
                throw new ArithmeticException("no value");
            }

            @Override
            public float slope(float x) {
                return 0;
            }
        };
        Graph g = new Graph(UserNets.SAMPLE);
        g.dense(g.elementwise(g.conv(g.input(), 4, 3), thrower), 5);
        try (Device device = subject.open()) {
            if (!device.isSynchronous()) {
                String refusal = assertThrows(
                                IllegalArgumentException.class,
                                () -> Setup.of(g, 5).on(device))
                        .getMessage();
                assertTrue(refusal.contains("thrower1") && refusal.contains("cudaValue"), refusal);
                return;
            }
        }
        try (Device device = subject.open();
                Run run = Setup.of(g, 5).on(device)) {
            String message =
                    assertThrows(DeviceException.class, run.plan::forward).getMessage();
            assertTrue(message.contains("thrower1") && message.contains("no value"), message);
        }
    }

    /** A layer whose result nothing reads has no gradient; planned silently, it would train on what lies in memory. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aLayerWhoseResultIsNotUsedIsRefusedByName(Subject subject) {
        Graph g = new Graph(UserNets.SAMPLE);
        Value x = g.conv(g.input(), 8, 3);
        g.at("dead").conv(x, 8, 3);
        g.dense(x, 5);
        try (Device device = subject.open()) {
            String message = assertThrows(
                            IllegalArgumentException.class, () -> Setup.of(g, 5).on(device))
                    .getMessage();
            assertTrue(message.startsWith("dead: "), message);
            assertEquals(0, device.liveBytes());
        }
    }
}
