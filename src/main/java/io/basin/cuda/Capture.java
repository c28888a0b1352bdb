package io.basin.cuda;

import static jcuda.driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
import static jcuda.driver.JCudaDriver.*;

import io.basin.device.Guard;
import io.basin.device.Reach;
import io.basin.device.Recording;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;

/** Work captured into a graph when it was recorded, without running it; a replay is one call. */
final class Capture implements Recording {
    private final CudaDevice device;
    private final CudaContext context;
    private final Reach reach;
    private final Guard guard;
    private final Runnable launch = this::launch;
    private final CUgraphExec graph = new CUgraphExec();

    /** @param reach filled by {@code work}: the memory whose addresses the graph holds */
    Capture(CudaDevice device, Reach reach, Runnable work) {
        this.device = device;
        this.reach = reach;
        context = device.context();
        guard = device.guard().of("the recording");
        CUgraph captured = new CUgraph();
        Check.driver(cuStreamBeginCapture(context.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "cuStreamBeginCapture");
        try {
            work.run();
        } catch (RuntimeException e) {
            // Else the stream would stay in capture and refuse all that follows.
            if (cuStreamEndCapture(context.stream, captured) == 0) cuGraphDestroy(captured);
            throw e;
        }
        Check.driver(cuStreamEndCapture(context.stream, captured), "cuStreamEndCapture");
        int made = cuGraphInstantiate(graph, captured, 0);
        int destroyed = cuGraphDestroy(captured);
        if (made == 0 && destroyed != 0) cuGraphExecDestroy(graph);
        Check.driver(made, "cuGraphInstantiate");
        Check.driver(destroyed, "cuGraphDestroy");
    }

    @Override
    public void replay() {
        guard.run(launch);
    }

    private void launch() {
        reach.requireOpen("the recording");
        Check.driver(cuGraphLaunch(graph, context.stream), "cuGraphLaunch");
    }

    /** Waits first: the graph may be running. */
    @Override
    public void close() {
        guard.close(() -> {
            device.forget(this);
            cuStreamSynchronize(context.stream);
            cuGraphExecDestroy(graph);
        });
    }
}
