package io.basin.examples;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;

/** Two models train in two threads, each on a device of its own; eight threads share each of them for predictions. */
public final class Threads {
    private static final Executor NEW_THREAD = work -> new Thread(work).start();

    public static void main(String[] args) {
        CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> train(1), NEW_THREAD);
        CompletableFuture<String> second = CompletableFuture.supplyAsync(() -> train(2), NEW_THREAD);
        System.out.println(first.join() + System.lineSeparator() + second.join());
    }

    private static String train(long seed) {
        try (Device device = Devices.open(System.getProperty("basin.device", "cpu"), 1);
                Splits splits = Small.splits(device);
                Model model = new Model(device, Small.net())) {
            model.fit(splits, Methods.swa(0.5, 0.02), new Budget(4, 0.05), seed);
            byte[] image = splits.testSet().subset(new int[] {0}, "one").pixels();
            List<CompletableFuture<float[]>> said = IntStream.range(0, 8)
                    .mapToObj(t -> CompletableFuture.supplyAsync(() -> model.predict(image), NEW_THREAD))
                    .toList();
            return "classes" + said.stream().map(p -> Model.likeliest(p.join())).toList();
        }
    }
}
