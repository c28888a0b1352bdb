package io.basin.bench;

import io.basin.device.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/**
 * Where the time of a training step goes, by the JDK's own sampling profiler: in oneDNN, in the work that Basin does in Java
 * (drawing the batch, the loss, running statistics, the update), or in the Java around the two. Arguments: net, seconds.
 */
public final class Overhead {
    private enum Place {
        PRIMITIVES,
        WORK,
        AROUND
    }

    private static final List<String> WORK =
            List.of("CpuBatch", "CpuLoss", "CpuArenas", "CpuBatchNorm.remember", "WorkerPool");
    private static final Duration PERIOD = Duration.ofMillis(10);

    private Overhead() {}

    public static void main(String[] args) throws IOException {
        String net = args.length > 0 ? args[0] : "smallcnn";
        int seconds = args.length > 1 ? Integer.parseInt(args[1]) : 30;
        BasinTraining training = new BasinTraining();
        training.net = net;
        training.precision = Precision.FP32;
        training.prepare();
        steps(training, 5);
        Path file = Files.createTempFile("basin-overhead", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.ExecutionSample").withPeriod(PERIOD);
            recording.enable("jdk.NativeMethodSample").withPeriod(PERIOD);
            recording.start();
            steps(training, seconds);
            recording.stop();
            recording.dump(file);
        }
        training.close();
        print(net, count(file, Thread.currentThread().getName()));
        Files.delete(file);
    }

    private static void steps(BasinTraining training, int seconds) {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (System.nanoTime() < end) training.step();
    }

    private static Map<Place, Integer> count(Path file, String thread) throws IOException {
        Map<Place, Integer> counts = new EnumMap<>(Place.class);
        for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
            boolean sample = event.getEventType().getName().endsWith("Sample") && event.getStackTrace() != null;
            if (sample && thread.equals(event.getThread("sampledThread").getJavaName())) {
                counts.merge(place(event.getStackTrace().getFrames()), 1, Integer::sum);
            }
        }
        return counts;
    }

    private static Place place(List<RecordedFrame> frames) {
        for (RecordedFrame frame : frames) {
            String type = frame.getMethod().getType().getName();
            String name = type.substring(type.lastIndexOf('.') + 1) + "."
                    + frame.getMethod().getName();
            if (name.equals("primitive.execute")) return Place.PRIMITIVES;
            if (WORK.stream().anyMatch(name::startsWith)) return Place.WORK;
        }
        return Place.AROUND;
    }

    private static void print(String net, Map<Place, Integer> counts) {
        double all = counts.values().stream().mapToInt(Integer::intValue).sum();
        double around = counts.getOrDefault(Place.AROUND, 0) / all;
        System.out.printf(
                Locale.ROOT,
                "%s, %.0f samples: %.2f %% in oneDNN, %.2f %% in batch, loss and update, %.2f %% in the Java around them"
                        + " (standard error %.2f)%n",
                net,
                all,
                100 * counts.getOrDefault(Place.PRIMITIVES, 0) / all,
                100 * counts.getOrDefault(Place.WORK, 0) / all,
                100 * around,
                100 * Math.sqrt(around * (1 - around) / all));
    }
}
