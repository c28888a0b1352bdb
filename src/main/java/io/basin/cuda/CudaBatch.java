package io.basin.cuda;

import io.basin.data.Augment;
import io.basin.data.Augmentation;
import io.basin.device.BatchOp;
import io.basin.device.Binding;
import io.basin.device.Control;
import io.basin.device.Images;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Draws the batch of the step that the control block counts: one block a sample, see {@code kernels/batch.cu}. */
final class CudaBatch extends CudaOp implements BatchOp {
    private final Slot labels;
    private final ByteBuffer table;
    private final Place tablePlace;
    private long uploaded;

    CudaBatch(CudaDevice device, Scope scope, Spec.Batch spec, Images images, Control control) {
        super(device, scope);
        if (spec.shuffled() && spec.batch() > images.count()) {
            throw new IllegalArgumentException(
                    "--batch-size " + spec.batch() + " exceeds the " + images.count() + " training samples");
        }
        Augmentation augmentation = new Augmentation(spec.pad(), spec.flip(), spec.mean(), spec.std());
        // Its constructor knows what does not fit together.
        new Augment(augmentation, images.height(), images.width(), images.channels());
        reach.add("the image set", images.pixels())
                .add("the image set", images.labels())
                .add("the control block", control.memory());
        Shape shape = images.sample().batched(spec.batch());
        CudaLayout layout = CudaLayout.of(shape);
        output(new Tensor(name(), shape, layout, scope.value(layout.bytes()), null));
        labels = scope.kept(4L * spec.batch());
        float[] values = augmentation.table();
        table = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        table.asFloatBuffer().put(values);
        tablePlace = place(throughout(scope.kept(table.capacity())));
        forward(launch("batch.cu", "batch")
                .shape(spec.batch(), 1, 256, 1)
                .arg(value(output()))
                .arg(place(labels))
                .arg(CudaDevice.place(images.pixels()))
                .arg(CudaDevice.place(images.labels()))
                .arg(tablePlace)
                .arg(CudaDevice.place(control))
                .arg(spec.batch())
                .arg(images.count())
                .arg(images.height())
                .arg(images.width())
                .arg(images.channels())
                .arg(spec.seed())
                .arg(spec.pad())
                .arg(spec.flip())
                .arg(spec.shuffled()));
        onBind(this::upload);
    }

    /** Makes a slot outlive the step: its contents are written once. */
    static Slot throughout(Slot slot) {
        slot.alive(0);
        slot.alive(Integer.MAX_VALUE);
        return slot;
    }

    /** What every pixel value becomes; computed on the host, so that all devices have the same bits. */
    private void upload(Binding binding) {
        if (uploaded == tablePlace.address().value()) return;
        uploaded = tablePlace.address().value();
        device.upload(
                binding.memory(tablePlace.slot().arena()), tablePlace.slot().offset(), table.duplicate());
    }

    @Override
    public Slot labels() {
        return labels;
    }
}
