package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Devices;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;

/** Of several devices of a kind the named one opens. */
class DeviceNumberTest {
    @Test
    void aNumberThatIsNoneIsRefused() {
        for (String name : List.of("cuda:", "cuda:x", "cuda:-1", "cpu:12345", "cpu:1:1")) {
            String said = assertThrows(IllegalArgumentException.class, () -> Devices.open(name, 1))
                    .getMessage();
            assertTrue(said.contains("'" + name + "' numbers no device"), said);
        }
        String second = assertThrows(IllegalArgumentException.class, () -> Devices.open("cpu:1", 1))
                .getMessage();
        assertTrue(second.contains("there is one cpu device, got 'cpu:1': say 'cpu'"), second);
        assertThrows(IllegalArgumentException.class, () -> Devices.open("auto:1", 1));
        try (Device first = Devices.open("cpu:0", 1);
                Device same = Devices.open("cpu", 1)) {
            assertEquals(same.describe(), first.describe());
        }
    }

    @Test
    void aGpuThatTheDriverDoesNotSeeIsRefused() {
        if (!Cuda.works()) return;
        int[] count = {0};
        JCudaDriver.cuDeviceGetCount(count);
        String said = assertThrows(DeviceException.class, () -> Devices.open("cuda:" + count[0], 1))
                .getMessage();
        assertTrue(said.contains("got 'cuda:" + count[0] + "': the last is cuda:" + (count[0] - 1)), said);
        try (Device first = Devices.open("cuda:0", 1)) {
            assertTrue(first.describe().startsWith("CUDA"), first.describe());
        }
    }

    /** Each on its own GPU, and one process may have both. */
    @Test
    void theNamedGpuOpens() throws Exception {
        if (!Cuda.software()) return;
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                Jvm.classPath(),
                DeviceNumberTest.class.getName());
        builder.environment().put("BASIN_SOFTGPU_COUNT", "2");
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertEquals(
                List.of("on 0", "on 1", "the driver sees 2 GPUs, got 'cuda:2'", "2 GPUs: cuda:0 to cuda:1"),
                said.lines()
                        .filter(l -> l.startsWith("on ") || l.matches("the driver sees.*|.*GPUs: cuda:0.*"))
                        .map(l -> l.replaceFirst("(?<=cuda:2').*", ""))
                        .toList(),
                said);
    }

    public static void main(String[] args) {
        try (Device first = Devices.open("cuda", 1);
                Device second = Devices.open("cuda:1", 1)) {
            for (Device device : List.of(first, second)) device.guard().run(DeviceNumberTest::sayCurrent);
            Devices.open("cuda:2", 1).close();
        } catch (DeviceException e) {
            System.out.println(e.getMessage());
        }
        new CudaProvider().diagnose().forEach(f -> System.out.println(f.text()));
    }

    private static void sayCurrent() {
        CUdevice device = new CUdevice();
        Check.driver(JCudaDriver.cuCtxGetDevice(device), "cuCtxGetDevice");
        // JCuda's handle says its number only in its text.
        System.out.println("on " + device.toString().replaceAll(".*?(\\d+)\\D*$", "$1"));
    }
}
