package io.basin.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.exchange.EventFile.Values;
import io.basin.io.Damage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.framework.HistogramProto;
import org.tensorflow.framework.Summary;

/** TensorFlow's messages read what is written, and a file that was cut or damaged goes on as if it had not been. */
@Timeout(60)
class EventFileTest {
    @TempDir
    Path folder;

    private static Values step(int k) {
        float[] weights = new float[50 + k];
        for (int i = 0; i < weights.length; i++) weights[i] = (float) Math.sin(i * k);
        return new Values().scalar("training/loss", 1.0 / k).histogram("weights/fc.weight", weights);
    }

    /** Steps 10, 20, ... */
    private static void write(Path folder, int from, int to) {
        try (EventFile events = EventFile.upTo(folder, 10L * (from - 1))) {
            for (int k = from; k <= to; k++) events.append(10L * k, step(k));
        }
    }

    private Path file(String name) {
        return folder.resolve(name).resolve("events.out.tfevents.basin");
    }

    @Test
    void valuesAreReadAsTheyWereWritten() throws IOException {
        write(folder.resolve("a"), 1, 3);
        List<Events.Point> points = Events.points(folder.resolve("a"));
        assertEquals(6, points.size());
        assertEquals(30, points.get(4).step());
        assertEquals("training/loss", points.get(4).tag());
        assertEquals(1f / 3, points.get(4).value().getSimpleValue());
        long big = 1L << 40;
        try (EventFile events = EventFile.upTo(folder.resolve("a"), big)) {
            assertEquals(30, events.step());
            events.append(big, new Values().scalar("x", -2.5));
        }
        assertEquals(big, Events.points(folder.resolve("a")).get(6).step());
        try (EventFile events = EventFile.upTo(folder.resolve("a"), big)) {
            assertEquals(big, events.step());
        }
    }

    @Test
    void aHistogramCountsEveryValueBetweenItsEqualLimits() throws IOException {
        float[] values = new float[10_000];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < values.length; i++) values[i] = (float) random.nextDouble(-3, 5);
        values[17] = -3;
        values[18] = 5;
        float[] broken = Arrays.copyOf(values, values.length + 2);
        broken[values.length] = Float.NaN;
        broken[values.length + 1] = Float.NEGATIVE_INFINITY;
        try (EventFile events = EventFile.upTo(folder, 0)) {
            events.append(1, new Values().histogram("w", broken).histogram("one", new float[] {7, 7, 7}));
        }
        HistogramProto h = Events.points(folder).get(0).value().getHisto();
        assertEquals(List.of(-3.0, 5.0, 10_000.0), List.of(h.getMin(), h.getMax(), h.getNum()));
        double sum = 0;
        double squares = 0;
        for (float v : values) sum += v;
        for (float v : values) squares += (double) v * v;
        assertEquals(sum, h.getSum(), 1e-9);
        assertEquals(squares, h.getSumSquares(), 1e-9);
        assertEquals(30, h.getBucketCount());
        for (int k = 0; k < 30; k++) {
            double low = -3 + 8.0 * k / 30;
            double high = -3 + 8.0 * (k + 1) / 30;
            assertEquals(high, h.getBucketLimit(k), 1e-12);
            int expected = 0;
            for (float v : values) if (v >= low && (v < high || k == 29)) expected++;
            assertEquals(expected, h.getBucket(k), "bucket " + k);
        }
        HistogramProto one = Events.points(folder).get(1).value().getHisto();
        assertEquals(List.of(7.0), one.getBucketLimitList());
        assertEquals(List.of(3.0), one.getBucketList());
    }

    @Test
    void picturesReplaceThoseThatWereThere() throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(7, 5, BufferedImage.TYPE_INT_RGB), "png", png);
        EventFile.pictures(folder, Map.of("old", png.toByteArray()));
        EventFile.pictures(folder, Map.of("new", png.toByteArray(), "not drawn", new byte[0]));
        List<Events.Point> points = Events.points(folder);
        assertEquals(List.of("new"), points.stream().map(Events.Point::tag).toList());
        Summary.Image image = points.get(0).value().getImage();
        assertEquals(List.of(5, 7, 3), List.of(image.getHeight(), image.getWidth(), image.getColorspace()));
        assertArrayEquals(png.toByteArray(), image.getEncodedImageString().toByteArray());
    }

    @Test
    void aFileThatGoesOnFromAStepHasEveryPointOnce() throws IOException {
        write(folder.resolve("whole"), 1, 6);
        write(folder.resolve("cut"), 1, 5);
        // The run was killed with events of two epochs that no checkpoint knows.
        write(folder.resolve("cut"), 4, 6);
        assertEquals(shown("whole"), shown("cut"));
    }

    @Test
    void aRecordCutAtAnyByteIsWrittenAnew() throws IOException {
        write(folder.resolve("whole"), 1, 3);
        byte[] bytes = Files.readAllBytes(file("whole"));
        write(folder.resolve("two"), 1, 2);
        long two = Files.size(file("two"));
        for (int length = (int) two; length < bytes.length; length++) {
            Files.write(file("two"), Arrays.copyOf(bytes, length));
            write(folder.resolve("two"), 3, 3);
            assertEquals(bytes.length, Files.size(file("two")));
        }
        assertEquals(shown("whole"), shown("two"));
    }

    @Test
    void damageEndsTheFileBeforeIt() throws IOException {
        write(folder.resolve("whole"), 1, 4);
        byte[] valid = Files.readAllBytes(file("whole"));
        List<String> whole = shown("whole");
        SplittableRandom random = new SplittableRandom(3);
        int shorter = 0;
        for (int round = 0; round < 500; round++) {
            Files.write(file("whole"), Damage.of(valid, random));
            EventFile.upTo(folder.resolve("whole"), 100).close();
            List<String> left = shown("whole");
            assertEquals(whole.subList(0, left.size()), left);
            if (left.size() < whole.size()) shorter++;
        }
        assertTrue(shorter > 250, shorter + " files had events dropped");
    }

    private List<String> shown(String name) throws IOException {
        return Events.points(folder.resolve(name)).stream()
                .map(Events.Point::toString)
                .toList();
    }
}
