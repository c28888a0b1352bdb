package io.basin.report;

import java.awt.AWTError;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether Java can draw text here: it needs libfreetype, fontconfig and a font, which small containers lack. */
final class Fonts {
    private static final Logger LOG = LoggerFactory.getLogger(Fonts.class);
    private static final Set<String> SAID = new HashSet<>();
    /** Why it cannot; empty if it can. */
    private static final String FAULT = fault();

    private Fonts() {}

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

    /** What {@code draw} draws; nothing where the machine cannot draw, which is logged once for each {@code title}. */
    static <T> Optional<T> drawn(String title, Supplier<T> draw) {
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
