package io.basin.bench;

import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.train.Model;
import io.basin.train.Plan;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Training images per second of Basin: what {@link TorchTraining} measures, and on top of it drawing each batch from uint8
 * images, shuffled and normalised, which the peer finds done.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinTraining {
    private static final int BATCHES = 8;
    /** The schedule's length; the counter starts again when it is reached. */
    private static final int STEPS = 1 << 16;

    @Param({"mlp", "smallcnn", "preresnet20", "vgg16-bn"})
    public String net;

    @Param("FP32")
    public Precision precision;

    @Param("cpu")
    public String on;

    /** Scores are of images where it is {@link TorchTraining#BATCH}. */
    @Param("" + TorchTraining.BATCH)
    public int batch;

    private Device device;
    private Images images;
    private RunState control;
    private Model model;
    private ParameterStore storage;
    private Plan plan;
    private Device.Recording step;
    private Pace pace;
    private int done;

    @Setup
    public void prepare() {
        device = Devices.open(on, Nets.threads());
        int channels = Nets.channels(net);
        int size = Nets.size(net);
        images = random(channels, size);
        double[] lr = new double[STEPS];
        Arrays.fill(lr, 0.01);
        control = new RunState(device, lr, new double[STEPS]);
        float[] mean = new float[channels];
        float[] std = new float[channels];
        Arrays.fill(mean, 0.5f);
        Arrays.fill(std, 0.29f);
        Graph graph = io.basin.nn.Nets.build(
                net.equals("smallcnn") ? "small-cnn" : net, Shape.of(channels, size, size), TorchTraining.CLASSES);
        model = new Model(device, graph, Loss.crossEntropy(0), precision);
        BatchReader reader = new BatchReader(batch, new Augmentation(0, false, mean, std), 1, true);
        plan = Plan.training(model, images, control, reader);
        storage = model.initialise(1).store();
        Runnable update = device.arenas().step(new Sgd(0.9, 5e-4, false), storage, control);
        Runnable tick = device.arenas().advance(control);
        step = device.record(() -> {
            plan.forward();
            plan.backward();
            update.run();
            tick.run();
        });
        pace = new Pace(device, control);
        System.out.println(net + ": " + storage.parameterCount() + " parameters, " + device.describe());
    }

    private Images random(int channels, int size) {
        Random random = new Random(1);
        int samples = BATCHES * batch;
        byte[] pixels = new byte[samples * channels * size * size];
        random.nextBytes(pixels);
        ByteBuffer labels = ByteBuffer.allocateDirect(4 * samples).order(java.nio.ByteOrder.nativeOrder());
        for (int i = 0; i < samples; i++) labels.putInt(random.nextInt(TorchTraining.CLASSES));
        Memory pixelMemory = device.allocate(pixels.length);
        Memory labelMemory = device.allocate(4L * samples);
        device.upload(pixelMemory, 0, ByteBuffer.wrap(pixels));
        device.upload(labelMemory, 0, labels.flip());
        return new Images(pixelMemory, labelMemory, samples, size, size, channels, TorchTraining.CLASSES);
    }

    @Benchmark
    @OperationsPerInvocation(TorchTraining.BATCH)
    public void step() {
        step.replay();
        pace.keep();
        if (++done % STEPS == 0) control.start(0);
    }

    @TearDown
    public void close() {
        plan.close();
        model.close();
        control.close();
        images.close();
        device.close();
    }
}
