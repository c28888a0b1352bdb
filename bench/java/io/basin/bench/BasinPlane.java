package io.basin.bench;

import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.Shape;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
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
 * Samples per second through the cells of a loss surface: what {@link TorchPlane} measures, with exact population statistics. All samples
 * lie on the device at once, so one pass gives statistics, loss and error; {@code whole = false} makes two passes in batches, as
 * the peer does.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinPlane {
    @Param("true")
    public boolean whole;

    private final List<Memory> points = new ArrayList<>();
    private Device device;
    private Images images;
    private Model model;
    private ParameterStore storage;
    private Evaluator evaluator;
    private Coefficients coefficients;
    private Runnable combine;
    private int cell;

    @Setup
    public void prepare() {
        device = Devices.open("cpu", Nets.threads());
        images = random();
        int batch = whole ? TorchPlane.SAMPLES : TorchPlane.BATCH;
        model = new Model(device, io.basin.nn.Nets.build("small-cnn", Shape.of(1, 28, 28), TorchTraining.CLASSES));
        evaluator = new Evaluator(
                model,
                images,
                new BatchReader(batch, new Augmentation(0, false, new float[] {0.5f}, new float[] {0.29f}), 1, false));
        storage = model.store();
        for (int seed = 1; seed <= 3; seed++) {
            storage.initialise(device, seed);
            Memory point = device.allocate(storage.paramBytes());
            device.copy(storage.live().params(), point);
            points.add(point);
        }
        coefficients = new Coefficients(device, null, new double[3]);
        combine =
                device.arenas().weightedSum(points, coefficients, storage.live().params());
    }

    private Images random() {
        Random random = new Random(1);
        byte[] pixels = new byte[TorchPlane.SAMPLES * 784];
        random.nextBytes(pixels);
        ByteBuffer labels = ByteBuffer.allocateDirect(4 * TorchPlane.SAMPLES).order(ByteOrder.nativeOrder());
        for (int i = 0; i < TorchPlane.SAMPLES; i++) labels.putInt(random.nextInt(TorchTraining.CLASSES));
        Memory pixelMemory = device.allocate(pixels.length);
        Memory labelMemory = device.allocate(labels.capacity());
        device.upload(pixelMemory, 0, ByteBuffer.wrap(pixels));
        device.upload(labelMemory, 0, labels.flip());
        return new Images(pixelMemory, labelMemory, TorchPlane.SAMPLES, 28, 28, 1, TorchTraining.CLASSES);
    }

    /** Mean loss of the next cell; its error is counted too. */
    @Benchmark
    @OperationsPerInvocation(TorchPlane.SAMPLES)
    public double cell() {
        double x = -0.2 + 1.4 * (cell % TorchPlane.GRID) / (TorchPlane.GRID - 1);
        double y = -0.2 + 1.4 * (cell / TorchPlane.GRID % TorchPlane.GRID) / (TorchPlane.GRID - 1);
        cell++;
        coefficients.set(1 - x - y, x, y);
        combine.run();
        if (whole) return evaluator.settle(storage.live()).meanLoss();
        evaluator.refresh(storage.live(), Evaluator.Refresh.SINGLE, pass -> {});
        return evaluator.evaluate(storage.live()).meanLoss();
    }

    @TearDown
    public void close() {
        evaluator.close();
        coefficients.close();
        points.forEach(Memory::close);
        model.close();
        images.close();
        device.close();
    }
}
