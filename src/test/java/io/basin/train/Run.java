package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Tensor;
import io.basin.nn.Node;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/** A {@link Setup} on a device, with everything that tests look at. Frees what it built when its making fails. */
public final class Run implements AutoCloseable {
    public final Device device;
    public final Setup setup;
    public final Model model;
    public final ParameterStore storage;
    public Images images;
    public RunState control;
    public Plan plan;
    private Runnable step;
    private Runnable tick;

    Run(Device device, Setup setup) {
        this.device = device;
        this.setup = setup;
        storage = new ParameterStore(setup.decayEverything());
        model = new Model(device, setup.graph(), setup.loss(), setup.precision(), storage);
        try {
            images = Sets.random(
                    device,
                    setup.seed(),
                    setup.count(),
                    setup.graph().input().shape(),
                    setup.graph().output().shape().dim(0));
            control = new RunState(device, setup.lr(), setup.alpha());
            plan = Plan.training(model, images, control, setup.batch());
            model.initialise(setup.seed());
            step = device.arenas().step(setup.step(), storage, control);
            tick = device.arenas().advance(control);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    public void gradients() {
        plan.forward();
        plan.backward();
    }

    public List<Op> ops() {
        return plan.ops();
    }

    /**
     * Bytes that an operation's forward and backward have to move beside what a vendor's convolution, product or pool does: of
     * those nothing but the sum with a residual.
     */
    public long leastBytes(int op) {
        Cost cost = plan.costs().get(op);
        for (Node node : Fusion.of(setup.graph()).nodes()) {
            boolean vendor = node.layer() instanceof Layer.Linear || node.layer() instanceof Layer.Pool;
            if (!vendor || !node.path().equals(plan.ops().get(op).name())) continue;
            return node.inputs().size() > 1
                    ? 3 * plan.ops().get(op).output().layout().bytes()
                    : 0;
        }
        return cost.forward() + cost.backward();
    }

    /**
     * Nodes that a step's graph cannot do without. A product or convolution is a call forward, one for the weights' gradient and one for
     * the input's, where anything trained lies before it, and with a bias a kernel a direction, which does what its ReLU needs. Batch
     * norm is three kernels a direction, since no sum over all rows is known before the last is read. Everything else is one a direction.
     * The batch, the loss and the update, in which the counter's tick would go, are one each.
     */
    public long leastNodes() {
        long sum = 3;
        for (Node node : Fusion.of(setup.graph()).nodes()) {
            boolean first = node.inputs().contains(setup.graph().input());
            if (node.layer() instanceof Layer.Linear linear) {
                boolean bias = linear.bias(node.inputs().get(0).shape()) != null && !onlyNormalised(node);
                sum += (first ? 2 : 3) + (bias ? 2 : 0);
            } else {
                sum += node.layer() instanceof Layer.BatchNorm ? 6 : 2;
            }
        }
        return sum;
    }

    /** Batch norm takes a bias away again, so that it needs no kernel. */
    private boolean onlyNormalised(Node node) {
        List<Node> readers = setup.graph().nodes().stream()
                .filter(n -> n.inputs().contains(node.output()))
                .toList();
        return !readers.isEmpty() && readers.stream().allMatch(n -> n.layer() instanceof Layer.BatchNorm);
    }

    public void update() {
        step.run();
        tick.run();
    }

    public void oneStep() {
        gradients();
        update();
    }

    public Run steps(int count) {
        for (int i = 0; i < count; i++) oneStep();
        return this;
    }

    public float[] read(Parameter p, Arena arena) {
        return p.read(device, storage.memory(arena));
    }

    public void write(Parameter p, Arena arena, float[] values) {
        p.write(device, storage.memory(arena), values);
    }

    public float[] probabilities() {
        Tensor t = plan.probabilities();
        float[] out = new float[Math.toIntExact(t.shape().elements())];
        Memory memory = plan.binding(storage.live()).memory(Arena.ACTIVATIONS);
        device.unpack(memory, t.value().offset(), t.layout(), FloatBuffer.wrap(out));
        return out;
    }

    /** The bytes of a whole arena, padding included. */
    public byte[] bytes(Arena arena) {
        Memory memory = storage.memory(arena);
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(Math.toIntExact(memory.bytes())).order(ByteOrder.nativeOrder());
        device.download(memory, 0, buffer);
        byte[] out = new byte[buffer.capacity()];
        buffer.get(0, out);
        return out;
    }

    @Override
    public void close() {
        if (plan != null) plan.close();
        if (control != null) control.close();
        if (images != null) images.close();
        model.close();
    }
}
