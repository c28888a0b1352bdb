package io.basin.device;

/** What the reference's operations share: where things lie. All layouts are row-major in logical order. */
class ReferenceOp implements Op {
    final PlanContext scope;
    private final String name;
    private Tensor output;
    private Binding binding;
    private Runnable forward = () -> {};
    private Runnable backward = () -> {};

    ReferenceOp(PlanContext scope) {
        this.scope = scope;
        name = scope.path();
    }

    /** Elements from {@code at} in {@code cells}. */
    record View(double[] cells, int at) {
        double get(int i) {
            return cells[at + i];
        }

        void set(int i, double v) {
            cells[at + i] = v;
        }
    }

    void output(Shape shape) {
        long bytes = 4 * shape.elements();
        output = new Tensor(
                name,
                shape,
                new ReferenceDevice.Plain(shape.elements()),
                scope.value(bytes),
                scope.training() ? scope.gradient(bytes) : null);
    }

    void output(Tensor tensor) {
        output = tensor;
    }

    void forward(Runnable work) {
        forward = work;
    }

    void backward(Runnable work) {
        backward = work;
    }

    View view(Slot slot, Arena arena) {
        return new View(((ReferenceMemory) binding.memory(arena)).values(), (int) (slot.offset() / 4));
    }

    View view(Slot slot) {
        return view(slot, slot.arena());
    }

    View value(Tensor t) {
        return view(t.value());
    }

    /** The gradient's place, or a place to throw it away where nobody asks. */
    View grad(Tensor t) {
        return t.grad() == null ? new View(new double[(int) t.shape().elements()], 0) : view(t.grad());
    }

    View weight(Parameter p) {
        return view(p.slot());
    }

    View weightGrad(Parameter p) {
        return view(p.slot(), Arena.GRADS);
    }

    static int size(Tensor t) {
        return (int) t.shape().elements();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Tensor output() {
        return output;
    }

    @Override
    public void bind(Binding b) {
        binding = b;
    }

    @Override
    public void forward() {
        forward.run();
    }

    @Override
    public void backward() {
        backward.run();
    }

    @Override
    public void close() {}
}
