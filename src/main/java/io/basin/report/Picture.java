package io.basin.report;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import io.basin.io.AtomicFile;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * Something that paints itself, as SVG for pages and as PNG at twice the size for everything else. Where the machine cannot draw
 * text there is no picture, and a warning with its title is logged.
 */
public interface Picture {
    String title();

    /** In pixels. */
    int width();

    int height();

    void paint(Graphics2D g);

    /** An {@code svg} element; empty where the machine cannot draw. */
    default String svg() {
        return Fonts.drawn(title(), this::drawnSvg).orElse("");
    }

    private String drawnSvg() {
        VectorGraphics2D g = new VectorGraphics2D();
        paint(g);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            new SVGProcessor()
                    .getDocument(g.getCommands(), new PageSize(0, 0, width(), height()))
                    .writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String text = out.toString(StandardCharsets.UTF_8);
        // The writer leaves out what it takes for the default size; in a page the text would have the page's.
        return text.substring(text.indexOf("<svg")).replaceFirst("<svg ", "<svg style=\"font-size:12px\" ");
    }

    /** The file's bytes; none where the machine cannot draw. */
    default byte[] png() {
        return Fonts.drawn(title(), this::drawnPng).orElse(new byte[0]);
    }

    private byte[] drawnPng() {
        BufferedImage image = new BufferedImage(2 * width(), 2 * height(), BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, image.getWidth(), image.getHeight());
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        g.scale(2, 2);
        paint(g);
        g.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Writes {@code <name>.svg} and {@code <name>.png}; neither where the machine cannot draw. */
    default void write(Path folder, String name) {
        String svg = svg();
        if (svg.isEmpty()) return;
        AtomicFile.write(folder.resolve(name + ".svg"), svg + "\n");
        AtomicFile.write(folder.resolve(name + ".png"), png());
    }
}
