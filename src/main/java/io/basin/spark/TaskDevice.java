package io.basin.spark;

import io.basin.Api;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The GPU that Spark sets apart for a task, where {@code spark.task.resource.gpu.amount} asks for one. */
@Api
public final class TaskDevice {
    private TaskDevice() {}

    /** Of the task that the calling thread runs, as {@link io.basin.device.Devices#open} takes it; empty for none. */
    public static String name() {
        TaskContext task = TaskContext.get();
        return task == null ? "" : of(task.resourcesJMap());
    }

    /** The first address: a task computes on one device. */
    static String of(Map<String, ResourceInformation> resources) {
        ResourceInformation gpu = resources.get("gpu");
        return gpu == null || gpu.addresses().length == 0 ? "" : "cuda:" + gpu.addresses()[0];
    }
}
