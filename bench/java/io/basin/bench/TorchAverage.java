package io.basin.bench;

import io.basin.torch.TorchTrain;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The same by {@code torch._foreach_lerp_}, as PyTorch's AveragedModel calls it: the Java API has it through the dispatcher alone. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class TorchAverage {
    static final int TENSORS = 160;
    static final int SIZE = TorchStep.PARAMETERS / TENSORS;

    private OperatorHandle lerp;
    private IValueVector arguments;

    @Setup
    public void prepare() {
        TorchTrain.configure(Nets.threads());
        torch.manual_seed(1);
        lerp = Dispatcher.singleton().findSchemaOrThrow("aten::_foreach_lerp_", "Scalar");
        arguments = new IValueVector(new IValue(tensors()), new IValue(tensors()), new IValue(new Scalar(0.01)));
    }

    private static GenericList tensors() {
        GenericList list = new GenericList(new Type.TypePtr(TensorType.get()));
        for (int k = 0; k < TENSORS; k++) list.push_back(new IValue(torch.randn(SIZE)));
        return list;
    }

    @Benchmark
    public void average() {
        lerp.callBoxed(new IValueVector(arguments.get()));
    }
}
