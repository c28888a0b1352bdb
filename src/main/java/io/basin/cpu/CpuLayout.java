package io.basin.cpu;

import io.basin.device.Layout;
import org.bytedeco.dnnl.memory;

/** A layout as oneDNN describes it: element type, blocking and padding. */
record CpuLayout(memory.desc desc) implements Layout {
    static memory.desc of(Layout layout) {
        return ((CpuLayout) layout).desc;
    }

    @Override
    public long bytes() {
        return desc.get_size();
    }
}
