package io.basin.torch;

import java.nio.file.Path;
import java.util.List;

/**
 * What a golden run does, as it travels through a command line to the other process.
 *
 * @param net a name of {@link TorchNets#build}
 * @param average weight of the lerp taken after every step into a running average, 0 for none
 * @param route how weights are updated; FUSED is the way the benchmark trains, in channels-last order, which must come to the
 *     same as MODULE
 * @param input initial weights under their names (those left out keep PyTorch's start, running statistics 0 and 1),
 *     {@code images} as [steps][N][C][H][W] and {@code labels} as [steps][N]
 * @param output receives {@code losses.txt}, all weights and running statistics, averages as {@code average.<name>}
 */
public record GoldenSpec(
        String net,
        int channels,
        int size,
        int classes,
        int batch,
        int steps,
        double lr,
        double momentum,
        double weightDecay,
        boolean nesterov,
        double average,
        TorchSgd.Route route,
        Path input,
        Path output) {

    boolean fast() {
        return route == TorchSgd.Route.FUSED;
    }

    List<String> arguments() {
        return List.of(
                net,
                "" + channels,
                "" + size,
                "" + classes,
                "" + batch,
                "" + steps,
                "" + lr,
                "" + momentum,
                "" + weightDecay,
                "" + nesterov,
                "" + average,
                "" + route,
                input.toString(),
                output.toString());
    }

    static GoldenSpec parse(String... args) {
        if (args.length != 14) {
            throw new IllegalArgumentException("usage: GoldenTorch NET CHANNELS SIZE CLASSES BATCH STEPS LR MOMENTUM"
                    + " WEIGHT_DECAY NESTEROV AVERAGE ROUTE INPUT_DIR OUTPUT_DIR");
        }
        return new GoldenSpec(
                args[0],
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                Integer.parseInt(args[3]),
                Integer.parseInt(args[4]),
                Integer.parseInt(args[5]),
                Double.parseDouble(args[6]),
                Double.parseDouble(args[7]),
                Double.parseDouble(args[8]),
                Boolean.parseBoolean(args[9]),
                Double.parseDouble(args[10]),
                TorchSgd.Route.valueOf(args[11]),
                Path.of(args[12]),
                Path.of(args[13]));
    }
}
