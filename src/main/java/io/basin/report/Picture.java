package io.basin.report;

import com.pngencoder.PngEncoder;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.GraphicsUtils;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import io.basin.io.AtomicFile;
import io.basin.text.Format;
import java.awt.AWTError;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something that paints itself, as SVG for pages and as PNG at twice the size for everything else. Where the machine cannot draw
 * text there is no picture, and a warning with its title is logged.
 */
public abstract class Picture {
    private static final Logger LOG = LoggerFactory.getLogger(Picture.class);
    private static final Set<String> SAID = new HashSet<>();
    /** Tenths of a pixel will do: the rest would be a third of a page. */
    private static final Pattern DIGITS = Pattern.compile("(\\d\\.\\d)\\d+");

    private static final Pattern ATTRIBUTE = Pattern.compile("(?<==)\"[^\"]*\"");
    /** The highest level, 9, takes over three times as long for a seventh less. */
    private static final int COMPRESSION = 6;
    /** Why Java cannot draw text here; empty if it can. It needs libfreetype, fontconfig and a font, which small containers lack. */
    private static final String FAULT = fault();

    final String title;
    final int width;
    final int height;

    /** @param width in pixels, as the height */
    Picture(String title, int width, int height) {
        this.title = title;
        this.width = width;
        this.height = height;
    }

    abstract void paint(Graphics2D g);

    private void draw(Graphics2D g) {
        g.setColor(Color.WHITE);
        g.fill(new Rectangle2D.Double(0, 0, width, height));
        paint(g);
    }

    /** A page's text where the pointer rests: a place in pixels, and the values there. */
    record Hint(double x, double y, String text) {
        private String svg() {
            return Format.of(
                    "<circle cx=\"%.0f\" cy=\"%.0f\" r=\"7\" fill=\"none\" pointer-events=\"all\"><title>%s</title></circle>",
                    x, y, escape(text));
        }
    }

    /** Of what was painted last. */
    List<Hint> hints() {
        return List.of();
    }

    /** An {@code svg} element; empty where the machine cannot draw. */
    public String svg() {
        return svg("picture", "");
    }

    /**
     * The same, for a page that has others too.
     *
     * @param id of its own on the page
     * @param description for those who do not see it; empty if the title says all
     */
    String svg(String id, String description) {
        return drawn(title, () -> drawnSvg(id, description)).orElse("");
    }

    private String drawnSvg(String id, String description) {
        VectorGraphics2D g = new Vectors();
        draw(g);
        ByteArrayOutputStream document = new ByteArrayOutputStream();
        try {
            new SVGProcessor()
                    .getDocument(g.getCommands(), new PageSize(0, 0, width, height))
                    .writeTo(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String text = document.toString(StandardCharsets.UTF_8);
        String hints = hints().stream().map(Hint::svg).collect(Collectors.joining());
        String told = description.isEmpty() ? "" : "<desc id=\"" + id + "-desc\">" + escape(description) + "</desc>";
        String head = "<svg role=\"img\" aria-labelledby=\"" + id + "-title"
                + (told.isEmpty() ? "" : " " + id + "-desc") + "\" style=\"font:12px sans-serif\" ";
        String names = "<title id=\"" + id + "-title\">" + escape(title) + "</title>" + told;
        // The writer leaves out what it takes for the default size, in a page the text would have the page's; it knows
        // no title, which screen readers read; it names one font, which a reader may lack; and what it clips by is
        // named
        // alike in all pictures.
        return ATTRIBUTE
                .matcher(text)
                .replaceAll(
                        m -> Matcher.quoteReplacement(DIGITS.matcher(m.group()).replaceAll("$1")))
                .replaceFirst("(?s)^.*?(?=<svg)", "")
                .replaceAll("(font-family:&quot;[^&]*&quot;);", "$1,sans-serif;")
                .replaceAll("(id=\"|url\\(#)clip", "$1" + id + "-clip")
                .replaceFirst("<svg ([^>]*)>", Matcher.quoteReplacement(head) + "$1>" + Matcher.quoteReplacement(names))
                .replaceFirst("</svg>\\s*$", Matcher.quoteReplacement(hints + "</svg>"));
    }

    /** Text as markup shows it. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** The file's bytes; none where the machine cannot draw. */
    public byte[] png() {
        return drawn(title, this::drawnPng).orElse(new byte[0]);
    }

    private byte[] drawnPng() {
        BufferedImage image = new BufferedImage(2 * width, 2 * height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        g.scale(2, 2);
        draw(g);
        g.dispose();
        return new PngEncoder()
                .withBufferedImage(image)
                .withMultiThreadedCompressionEnabled(false)
                .withCompressionLevel(COMPRESSION)
                .toBytes();
    }

    /** Looks up a logical font once: for each text the SVG writer would compare it with every font of the machine. */
    private static final class Vectors extends VectorGraphics2D {
        private static final Map<Font, Font> PHYSICAL = new ConcurrentHashMap<>();

        @Override
        public void setFont(Font font) {
            super.setFont(PHYSICAL.computeIfAbsent(font, GraphicsUtils::getPhysicalFont));
        }
    }

    /** Writes {@code <name>.svg} and {@code <name>.png}; neither where the machine cannot draw. */
    public void write(Path folder, String name) {
        String svg = svg();
        if (svg.isEmpty()) return;
        AtomicFile.write(folder.resolve(name + ".svg"), svg + "\n");
        AtomicFile.write(folder.resolve(name + ".png"), png());
    }

    private static String fault() {
        try {
            Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
            g.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, 12)).stringWidth("x");
            g.dispose();
            return "";
        } catch (RuntimeException | LinkageError | InternalError | AWTError e) {
            return reason(e);
        }
    }

    private static String reason(Throwable e) {
        while (e.getCause() != null) e = e.getCause();
        return e.toString();
    }

    /** The result of {@code draw}; nothing where the machine cannot draw, which is logged once for each {@code title}. */
    private static <T> Optional<T> drawn(String title, Supplier<T> draw) {
        String why = FAULT;
        try {
            if (why.isEmpty()) return Optional.of(draw.get());
        } catch (LinkageError | InternalError | AWTError e) {
            why = reason(e);
        }
        warn(title, why);
        return Optional.empty();
    }

    /** The remedy is told once. */
    private static synchronized void warn(String title, String why) {
        if (!SAID.add(title)) return;
        if (SAID.size() > 1) {
            LOG.warn("nor was the picture '{}' drawn", title);
            return;
        }
        LOG.warn(
                "the picture '{}' was not drawn, as Java cannot draw text here ({}): install fontconfig, libfreetype6 and a"
                        + " font such as fonts-dejavu-core, then run the command again",
                title,
                why);
    }
}
