package io.basin.report;

import io.basin.io.AtomicFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** One file of HTML with its pictures inside, which needs neither network nor scripts: headings, sentences, tables, figures. */
public final class Page {
    private final StringBuilder out =
            new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");

    public Page(String title) {
        String safe = HtmlReport.escape(title);
        out.append("<title>").append(safe).append("</title><style>").append(HtmlReport.STYLE);
        out.append("</style></head><body>\n<h1>").append(safe).append("</h1>\n");
    }

    public Page heading(String text) {
        out.append("<h2>").append(HtmlReport.escape(text)).append("</h2>\n");
        return this;
    }

    public Page paragraph(String text) {
        out.append("<p>").append(HtmlReport.escape(text)).append("</p>\n");
        return this;
    }

    /** The sentence to remember. */
    public Page conclusion(String text) {
        out.append("<p><strong>").append(HtmlReport.escape(text)).append("</strong></p>\n");
        return this;
    }

    /** Without a picture where the machine cannot draw. */
    public Page figure(Picture picture, String caption) {
        String svg = picture.svg();
        if (svg.isEmpty()) return this;
        out.append("<figure>").append(svg).append("<figcaption>");
        out.append(HtmlReport.escape(caption)).append("</figcaption></figure>\n");
        return this;
    }

    /** The first row is the header. */
    public Page table(List<List<String>> rows) {
        out.append("<table class=\"results\">\n");
        for (int i = 0; i < rows.size(); i++) {
            String cell = i == 0 ? "th" : "td";
            out.append("<tr>");
            for (String value : rows.get(i)) {
                out.append('<').append(cell).append('>').append(HtmlReport.escape(value));
                out.append("</").append(cell).append('>');
            }
            out.append("</tr>\n");
        }
        out.append("</table>\n");
        return this;
    }

    /** What a reader must know to judge or repeat it. */
    public Page facts(Map<String, String> facts) {
        heading("How it was made");
        out.append("<table>\n");
        facts.forEach((name, value) -> out.append("<tr><th>")
                .append(HtmlReport.escape(name))
                .append("</th><td>")
                .append(HtmlReport.escape(value))
                .append("</td></tr>\n"));
        out.append("</table>\n");
        return this;
    }

    public void write(Path file) {
        AtomicFile.write(file, out + "</body></html>\n");
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
