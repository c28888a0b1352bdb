package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuCtxSynchronize;

import io.basin.device.AdamW;
import io.basin.device.Arena;
import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Devices;
import io.basin.device.Draws;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import io.basin.device.Images;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.OpTrial;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Softplus;
import io.basin.device.Tensor;
import io.basin.io.Dtype;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Every kernel of {@code kernels/} by itself, with grid and arguments as the device launches it: from operations, updates and sums
 * that are planned here, and run once, so that each finds ordinary numbers.
 */
public final class KernelLaunches implements AutoCloseable {
    /**
     * How much the kernels do.
     *
     * @param rows samples of (channels, side, side)
     * @param parameters of an update
     */
    public record Size(int rows, int channels, int side, int parameters) {
        /** PreResNet-20's widest values at its usual batch, and the weights of a ResNet-50. */
        public static final Size USUAL = new Size(128, 16, 32, 25_000_000);
        /** What an emulator does in no time. */
        public static final Size TINY = new Size(4, 8, 4, 1 << 10);
    }

    private record Plain(long bytes) implements Layout {}

    private static final int CLASSES = 10;
    /** Later than anything of a trial. */
    private static final int END = 31;

    private static final double[] LR = {1e-3};
    private static final double[] ALPHA = {0.25};
    private static final Initializer INIT = Initializer.constant(0.1f);

    private final Size size;
    private final Closer undo = new Closer();
    private final CudaDevice device;
    private final CudaArenas arenas;
    private final Map<String, Launch> launches = new TreeMap<>();

    /** Plans on the GPU. */
    public KernelLaunches(Size size) {
        this.size = size;
        device = undo.add((CudaDevice) Devices.open("cuda", 1));
        arenas = (CudaArenas) device.arenas();
        try {
            for (Precision precision : List.of(Precision.FP32, Precision.BF16)) {
                if (!device.supports(precision)) continue;
                training(precision);
                evaluation(precision);
                for (Loss loss : List.of(Loss.squaredError(), Loss.binaryCrossEntropy())) targets(precision, loss);
            }
            updates();
            device.guard().run(this::sums);
            device.guard().run(this::foreign);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** Of the device, as people should read it. */
    public String title() {
        return device.context.title();
    }

    public boolean emulated() {
        return device.context.software();
    }

    /** Of all kernels, sorted. */
    public List<String> names() {
        return List.copyOf(launches.keySet());
    }

    /** Runs one kernel so many times, and waits for the last. */
    public void run(String kernel, int times) {
        Launch launch = launches.get(kernel);
        device.guard().run(() -> {
            for (int i = 0; i < times; i++) launch.run();
            // What runs in other programs' arrays is on the default stream.
            Check.driver(cuCtxSynchronize(), "cuCtxSynchronize");
        });
    }

    /** As its source calls it. */
    private static String kernel(Launch launch) {
        return launch.call.split(" ")[2];
    }

    private Launch keep(Launch launch) {
        launches.putIfAbsent(kernel(launch), launch);
        return launch;
    }

    private void keep(Op op) {
        ((CudaOp) op).launches.forEach(this::keep);
    }

    private Shape sample() {
        return Shape.of(size.channels(), size.side(), size.side());
    }

    private OpTrial trial(PlanContext.Mode mode, Precision precision, Images images) {
        BatchReader reader = Sets.plain(size.rows(), size.channels());
        return undo.add(new OpTrial(device, mode, images, reader, precision));
    }

    private Images pictures() {
        return Sets.random(device, 1, size.rows(), sample(), CLASSES);
    }

    /** All layers with their gradients. */
    private void training(Precision precision) {
        OpTrial trial = trial(PlanContext.Mode.TRAIN, precision, pictures());
        List<Op> ops = new ArrayList<>(List.of(trial.batch));
        // The first map's input has no gradient, the second's has.
        Tensor x = layer(trial, ops, new Layer.Pointwise(new Softplus()), trial.batch.output());
        x = layer(trial, ops, new Layer.Pointwise(new Softplus()), x);
        Tensor y = layer(trial, ops, new Layer.Relu(), x);
        layer(trial, ops, new Layer.BatchNorm(1e-5, 0.1, true), x);
        layer(trial, ops, new Layer.GroupNorm(size.channels() / 4, 1e-5), x);
        layer(trial, ops, new Layer.Add(), y, layer(trial, ops, new Layer.Dropout(0.5), x));
        layer(trial, ops, new Layer.Concat(), x, x);
        layer(trial, ops, new Layer.Conv(size.channels(), 1, 1, 0, 1, true, true, INIT), x);
        Tensor logits = layer(trial, ops, new Layer.Dense(CLASSES, true, true, INIT), x);
        ops.add(loss(trial, Loss.crossEntropy(0), logits));
        run(trial, ops);
    }

    private static Tensor layer(OpTrial trial, List<Op> ops, Layer layer, Tensor... inputs) {
        Op op = trial.plan("op" + ops.size(), s -> trial.device.plan(s, layer, List.of(inputs), 3, trial.control));
        ops.add(op);
        return op.output();
    }

    private static Op loss(OpTrial trial, Loss spec, Tensor logits) {
        return trial.plan("loss", s -> trial.device.loss(s, spec, logits, trial.batch.labels(), trial.control));
    }

    private void run(OpTrial trial, List<Op> ops) {
        trial.batch.labels().alive(END);
        trial.ready();
        for (Op op : ops) op.forward();
        for (int i = ops.size() - 1; i >= 0; i--) {
            Tensor y = ops.get(i).output();
            if (y.grad() != null) trial.writeGrad(y, Draws.normal(i, y.shape().elements()));
            ops.get(i).backward();
        }
        ops.forEach(this::keep);
    }

    /** Weights made narrow for each pass, and the population's statistics. */
    private void evaluation(Precision precision) {
        OpTrial trial = trial(PlanContext.Mode.EVALUATE, precision, pictures());
        List<Op> ops = new ArrayList<>(List.of(trial.batch));
        Tensor x = layer(trial, ops, new Layer.BatchNorm(1e-5, 0.1, false), trial.batch.output());
        layer(trial, ops, new Layer.Dense(CLASSES, false, false, INIT), x);
        run(trial, ops);
        Op.BatchNorm norm = (Op.BatchNorm) ops.get(1);
        norm.reset();
        norm.measure(size.rows());
        norm.adopt();
        norm.commit();
    }

    private void targets(Precision precision, Loss spec) {
        float[] values = Draws.normal(5, size.rows() * sample().elements());
        float[] targets = Draws.normal(6, (long) size.rows() * CLASSES);
        for (int i = 0; i < targets.length; i++) targets[i] = targets[i] > 0 ? 1 : 0;
        Images images = Sets.ofFloats(device, values, targets, sample(), CLASSES);
        OpTrial trial = trial(PlanContext.Mode.TRAIN, precision, images);
        List<Op> ops = new ArrayList<>(List.of(trial.batch));
        Tensor logits = layer(trial, ops, new Layer.Dense(CLASSES, false, false, INIT), trial.batch.output());
        ops.add(loss(trial, spec, logits));
        run(trial, ops);
    }

    private ParameterStore store(Optimizer rule) {
        ParameterStore store = undo.add(new ParameterStore(true).trainedBy(rule));
        PlanContext scope = new PlanContext(store, PlanContext.Mode.TRAIN, Precision.FP32, 1);
        Layer.Param weight = new Layer.Param("weight", Shape.of(size.parameters()), INIT, false);
        scope.at(0, "flat").parameter(weight, new Plain(4L * size.parameters()));
        store.allocate(device, true);
        for (Arena arena : List.of(Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE)) fill(store.memory(arena));
        return store;
    }

    /** With normal numbers; a copy in bfloat16 has none that are worse. */
    private void fill(Memory memory) {
        int n = Math.toIntExact(memory.bytes() / Float.BYTES);
        device.guard()
                .run(() -> keep(device.kernels.launch("pointwise.cu", "noise", (n + 3) / 4))
                        .args(memory, n, 1L)
                        .run());
    }

    private Memory filled(long floats) {
        Memory memory = undo.add(device.allocate(Float.BYTES * floats));
        fill(memory);
        return memory;
    }

    private void updates() {
        Sgd sgd = new Sgd(0.9, 5e-4, true);
        AdamW adam = new AdamW(0.01);
        ParameterStore store = store(sgd);
        ParameterStore other = store(adam);
        RunState control = undo.add(new RunState(device, LR, ALPHA));
        // A tick of another: past its tables' end an update does nothing.
        RunState ticking = undo.add(new RunState(device, LR, ALPHA));
        Memory point = filled(store.paramBytes() / Float.BYTES);
        Memory sum = filled(store.paramBytes() / Float.BYTES);
        Coefficients halves = undo.add(new Coefficients(device, null, new double[] {0.5, 0.5}));
        device.guard().run(() -> {
            keep(arenas.planStep(sgd, store, control));
            keep(arenas.planStep(adam, other, control));
            keep(arenas.planAdvance(ticking));
            keep(arenas.planSum(List.of(store.memory(Arena.PARAMS), point), halves, sum));
            keep(arenas.planCurvePoint(sgd, store, point, sum, halves, 1, control));
            int quads = Math.toIntExact(sum.bytes() / 16);
            keep(device.kernels.launch("average.cu", "moment", quads))
                    .args(sum, point, store.memory(Arena.PARAMS), control.memory(), 1, quads);
        });
    }

    /** Of predictions, and what only planning launches. */
    private void sums() {
        int rows = size.parameters() / CLASSES;
        Memory predictions = filled((long) rows * CLASSES);
        Memory sum = undo.add(device.allocate(8L * rows * CLASSES));
        Memory votes = undo.add(device.allocate(4L * rows * CLASSES));
        Memory choice = undo.add(device.allocate(4L * rows));
        String file = "ensemble.cu";
        keep(device.kernels.launch(file, "accumulate", 32L * rows))
                .args(sum, votes, predictions, 0.5, rows, CLASSES)
                .run();
        keep(device.kernels.launch(file, "argmax", 32L * rows)).args(choice, sum, rows, CLASSES);
        keep(device.kernels.launch(file, "vote", 32L * rows)).args(choice, votes, sum, rows, CLASSES);
        int n = size.parameters();
        keep(device.kernels.launch("pointwise.cu", "noiseBf16", (n + 3) / 4)).args(predictions, n, 1L);
    }

    /** In other programs' arrays. */
    private void foreign() {
        int n = size.parameters();
        Map<ForeignStep.Role, ForeignArrays.Array> roles = new TreeMap<>();
        for (ForeignStep.Role role :
                List.of(ForeignStep.Role.W, ForeignStep.Role.G, ForeignStep.Role.M, ForeignStep.Role.A)) {
            Memory memory = filled(n);
            long address = CudaMemory.at(memory, 0, memory.bytes()).value();
            roles.put(role, new ForeignArrays.Array(role.name(), Dtype.F32, n, address, null));
        }
        ForeignStep.Plan plan = new ForeignStep.Plan(
                List.of(new ForeignStep.Strip(roles, n)), new Sgd(0.9, 5e-4, true), LR, ALPHA, new double[1], 1e9, 0);
        // Others' streams, the default one here, do not wait for the device's.
        device.context.synchronize();
        CudaForeignStep step = undo.add(new CudaForeignStep(0, plan));
        // No tick, after which a step past the tables' end would do nothing.
        step.launches.stream().filter(l -> !kernel(l).equals("tick")).forEach(l -> keep(l).run());
        CudaForeignArrays arrays = undo.add(new CudaForeignArrays(0, List.of(roles.get(ForeignStep.Role.W)), 2));
        arrays.run(ForeignArrays.Pass.AVERAGE, 0, 1, 0.5f, 0);
        keep(arrays.launch);
    }

    @Override
    public void close() {
        device.guard().run(device.context::synchronize);
        undo.close();
    }
}
