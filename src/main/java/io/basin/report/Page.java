package io.basin.report;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.Folders;
import io.basin.text.Format;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One file of HTML with its pictures inside, which needs neither network nor scripts: headings, sentences, tables, figures. It follows
 * the reader's light or dark scheme, prints in the light one, and scrolls what is wide in a box of its own. Each picture is a file
 * beside it too.
 */
public final class Page {
    private static final String STYLE = resource("page.css");

    /** Colours of pictures that follow the scheme. */
    private static final Map<String, String> COLOURS = Map.of(
            "rgb(255,255,255)", "paper",
            "rgb(0,0,0)", "ink",
            "rgb(64,64,64)", "ink",
            "rgb(221,221,221)", "line",
            "rgb(0,114,178)", "blue");

    private static final Pattern COLOUR = Pattern.compile("rgb\\([0-9,]+\\)");
    private static final Pattern INLINE = Pattern.compile("(?<= )style=\"([^\"]*)\"");

    /** A text that lies beside this class. */
    static String resource(String name) {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final String title;
    private final StringBuilder out = new StringBuilder();
    /** Classes of what pictures style, each once however many have it. */
    private final Map<String, String> classes = new LinkedHashMap<>();

    private final Map<String, Picture> pictures = new LinkedHashMap<>();

    public Page(String title) {
        this.title = title;
        block("h1", title);
    }

    /** The one writer of text into a page: nothing that a file or a flag says can become markup. */
    private Page element(String name, String text) {
        out.append('<').append(name).append('>').append(Picture.escape(text));
        out.append("</").append(name).append('>');
        return this;
    }

    private Page block(String name, String text) {
        element(name, text).out.append('\n');
        return this;
    }

    public Page heading(String text) {
        return block("h2", text);
    }

    public Page paragraph(String text) {
        return block("p", text);
    }

    /** The sentence to remember. */
    public Page conclusion(String text) {
        out.append("<p>");
        element("strong", text).out.append("</p>\n");
        return this;
    }

    /** In a file of {@code figures}, named after its title. */
    public Page figure(@Nullable Picture picture, String caption) {
        if (picture == null) return this;
        String name = picture.title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        return figure(picture, caption, "figures/" + name.replaceAll("^-|-$", ""));
    }

    /**
     * Nothing where the machine cannot draw.
     *
     * @param file beside the page, without {@code .svg} and {@code .png}
     */
    public Page figure(Picture picture, String caption, String file) {
        String svg = picture.svg("figure-" + (pictures.size() + 1), caption);
        if (svg.isEmpty()) return this;
        pictures.put(file, picture);
        out.append("<figure><div class=\"wide\">").append(themed(svg)).append("</div><figcaption>");
        out.append(Picture.escape(caption));
        for (String kind : List.of("svg", "png")) {
            out.append(" <a href=\"").append(Picture.escape(file + "." + kind)).append("\">");
            out.append(kind.toUpperCase(Locale.ROOT)).append("</a>");
        }
        out.append("</figcaption></figure>\n");
        return this;
    }

    private static String variable(String colour) {
        String name = COLOURS.get(colour);
        return name == null ? colour : Format.of("var(--%s)", name);
    }

    /** With classes instead of styles, and colours that follow the scheme. */
    private String themed(String svg) {
        int head = svg.indexOf('>');
        String body = INLINE.matcher(svg.substring(head)).replaceAll(m -> {
            String style = COLOUR.matcher(m.group(1).replace("&quot;", "'"))
                    .replaceAll(c -> Matcher.quoteReplacement(variable(c.group())));
            return "class=\"" + classes.computeIfAbsent(style, s -> "k" + classes.size()) + "\"";
        });
        return svg.substring(0, head) + body.replaceAll("\n *", "\n");
    }

    /** Numbers; the first row is the header, the first column names the rows. */
    public Page table(List<List<String>> rows) {
        out.append("<div class=\"wide\"><table class=\"results\">\n");
        return rows(rows);
    }

    /** Words; the first row is the header. */
    public Page words(List<List<String>> rows) {
        out.append("<div class=\"wide\"><table>\n");
        return rows(rows);
    }

    private Page rows(List<List<String>> rows) {
        for (int i = 0; i < rows.size(); i++)
            row(rows.get(i), i == 0 ? rows.get(i).size() : 0);
        out.append("</table></div>\n");
        return this;
    }

    private void row(List<String> cells, int headers) {
        out.append("<tr>");
        for (int i = 0; i < cells.size(); i++) element(i < headers ? "th" : "td", cells.get(i));
        out.append("</tr>\n");
    }

    /** The output of {@code content} is shown only to a reader who opens it. */
    public Page folded(String summary, Consumer<Page> content) {
        out.append("<details>");
        content.accept(element("summary", summary));
        out.append("</details>\n");
        return this;
    }

    /** A line on each term, folded away; nothing where there is none. */
    public Page glossary(Map<String, String> terms) {
        if (terms.isEmpty()) return this;
        return folded("What the words mean", page -> {
            out.append("<dl>");
            terms.forEach((term, text) -> element("dt", term).element("dd", text));
            out.append("</dl>");
        });
    }

    /** Facts by which a reader judges or repeats it. */
    public Page facts(Map<String, String> facts) {
        return heading("How it was made").pairs(facts);
    }

    /** The same, with what is known of how the page came about, and all settings, folded away. */
    public Page facts(Map<String, String> facts, Made made) {
        facts(facts);
        if (!made.facts().isEmpty()) pairs(made.facts());
        if (!made.settings().isEmpty()) folded("Settings", page -> pairs(made.settings()));
        return this;
    }

    private Page pairs(Map<String, String> pairs) {
        out.append("<div class=\"wide\"><table>\n");
        pairs.forEach((name, value) -> row(List.of(name, value), 1));
        out.append("</table></div>\n");
        return this;
    }

    /** The whole page. */
    String html() {
        StringBuilder html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
        html.append(Picture.escape(title)).append("</title><style>").append(STYLE);
        classes.forEach((style, name) ->
                html.append('.').append(name).append('{').append(style).append("}\n"));
        return html.append("</style></head><body>\n")
                .append(out)
                .append("</body></html>\n")
                .toString();
    }

    /** Writes the page, and each of its pictures as SVG and PNG beside it. */
    public void write(Path file) {
        AtomicFile.write(file, html());
        pictures.forEach((name, picture) -> {
            Path beside = file.toAbsolutePath().resolveSibling(name);
            Folders.make(Objects.requireNonNull(beside.getParent()));
            picture.write(beside.getParent(), beside.getFileName().toString());
        });
    }

    /** Rows as text with columns aligned, for a terminal. */
    public static String text(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int c = 0; c < columns; c++)
                widths[c] = Math.max(widths[c], row.get(c).length());
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < columns; c++) {
                String pad = " ".repeat(widths[c] - row.get(c).length());
                line.append(c == 0 ? row.get(c) + pad : "  " + pad + row.get(c));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }
}
