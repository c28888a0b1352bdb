package io.basin.compare;

import io.basin.device.Weights;
import io.basin.ensemble.MemberSink;
import io.basin.ensemble.MemberSource;
import io.basin.train.Evaluator;
import java.util.List;

/** Models on a device as the source of an ensemble's predictions: one pass over the images, whatever their number. */
record Predictions(Evaluator evaluator, List<Weights> models, int[] labels, int classes) implements MemberSource {
    @Override
    public int members() {
        return models.size();
    }

    @Override
    public void stream(MemberSink sink) {
        evaluator.predict(models, (member, first, rows, probabilities) -> {
            if (member == 0) {
                int[] part = new int[rows];
                System.arraycopy(labels, first, part, 0, rows);
                sink.begin(part, rows);
            }
            double[] p = new double[rows * classes];
            for (int i = 0; i < p.length; i++) p[i] = probabilities[i];
            sink.member(Probabilities.requireNumbers(p));
            if (member == models.size() - 1) sink.end();
        });
    }
}
