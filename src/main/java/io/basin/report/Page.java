package io.basin.report;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** One file of HTML with its pictures inside, which needs neither network nor scripts: headings, sentences, tables, figures. */
public final class Page {
    private static final String STYLE = """
            body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}
            table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:left}
            .results td:not(:first-child),.results th:not(:first-child){text-align:right}
            figure{margin:2em 0}figcaption{color:#555}svg{max-width:100%;height:auto}
            .wide{overflow-x:auto}h2{break-after:avoid}figure,tr{break-inside:avoid}
            @media (prefers-color-scheme:dark){body{color:#ddd;background:#161616}figcaption{color:#aaa}
            td,th{border-color:#444}svg{filter:invert(.91) hue-rotate(180deg)}}
            @media print{body{max-width:none;margin:0;font-size:11pt}}
            """;

    private final StringBuilder out =
            new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                    + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");

    public Page(String title) {
        element("title", title).element("style", STYLE).out.append("</head><body>\n");
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

    /** Nothing for null, and without a picture where the machine cannot draw. */
    public Page figure(@Nullable Picture picture, String caption) {
        String svg = picture == null ? "" : picture.svg();
        if (svg.isEmpty()) return this;
        out.append("<figure>").append(svg);
        element("figcaption", caption).out.append("</figure>\n");
        return this;
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

    /** What {@code content} adds is shown only to a reader who opens it. */
    public Page folded(String summary, Consumer<Page> content) {
        out.append("<details>");
        content.accept(element("summary", summary));
        out.append("</details>\n");
        return this;
    }

    /** What a reader must know to judge or repeat it. */
    public Page facts(Map<String, String> facts) {
        heading("How it was made").out.append("<div class=\"wide\"><table>\n");
        facts.forEach((name, value) -> row(List.of(name, value), 1));
        out.append("</table></div>\n");
        return this;
    }

    /** The whole page. */
    String html() {
        return out + "</body></html>\n";
    }

    public void write(Path file) {
        AtomicFile.write(file, html());
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
