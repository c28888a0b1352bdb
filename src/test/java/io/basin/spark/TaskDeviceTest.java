package io.basin.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;

class TaskDeviceTest {
    private static ResourceInformation resource(String name, String... addresses) {
        return new ResourceInformation(name, addresses);
    }

    @Test
    void aTaskComputesOnTheGpuWhoseAddressSparkGivesIt() {
        assertEquals("cuda:3", TaskDevice.of(Map.of("gpu", resource("gpu", "3"))));
        assertEquals("cuda:1", TaskDevice.of(Map.of("fpga", resource("fpga", "0"), "gpu", resource("gpu", "1", "2"))));
    }

    @Test
    void aTaskWithoutAGpuHasNoneAndNeitherHasAThreadWithoutATask() {
        assertEquals("", TaskDevice.of(Map.of()));
        assertEquals("", TaskDevice.of(Map.of("gpu", resource("gpu"))));
        assertEquals("", TaskDevice.of(Map.of("fpga", resource("fpga", "0"))));
        assertEquals("", TaskDevice.name());
    }
}
