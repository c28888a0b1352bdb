package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Opens pages in headless Chromium, where there is one: each in frames of two widths within a page that asks them, when all are there,
 * what they loaded and how wide they are.
 */
public final class Browser {
    private static final int[] WIDTHS = {400, 1400};
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");
    private static final Pattern ANSWER = Pattern.compile("<pre id=\"answer\">(.*?)</pre>", Pattern.DOTALL);
    private static final String ASK = """
            <pre id="answer"></pre><script>
            addEventListener('load', () => {
              const all = [...document.querySelectorAll('iframe')].map(f => {
                const d = f.contentDocument, w = f.contentWindow, seen = e => e.getBoundingClientRect().right;
                const free = [...d.body.querySelectorAll('*')].filter(e => !e.closest('.wide') && !e.closest('svg'));
                return {page: f.title, width: f.width, scroll: d.documentElement.scrollWidth,
                  widest: Math.max(...free.map(seen)), loaded: w.performance.getEntriesByType('resource').map(r => r.name).concat(
                    [...d.querySelectorAll('[src],[srcset],link,script,object,image')].map(e => e.outerHTML)),
                  pictures: d.querySelectorAll('svg').length,
                  unnamed: [...d.querySelectorAll('svg')].filter(s => s.getAttribute('role') != 'img' ||
                    s.getAttribute('aria-labelledby').split(' ').some(id => !d.getElementById(id).textContent)).length,
                  texts: [...d.querySelectorAll('svg')].every(s => s.querySelector('text')),
                  background: w.getComputedStyle(d.body).backgroundColor};
              });
              document.getElementById('answer').textContent = JSON.stringify(all);
            });
            </script>
            """;

    private Browser() {}

    /** Whether there is one; says so where not. */
    public static boolean present() {
        if (program() != null) return true;
        System.out.println("NOT COVERED: pages in a browser: no chromium on PATH");
        return false;
    }

    /**
     * Checks that the pages load nothing, complain of nothing and, at both widths, have nothing wider than the window but in a box of
     * its own, and that their pictures have text, titles and descriptions.
     *
     * @param folder for the browser's own files
     */
    public static void requireSound(Path folder, List<Path> pages) throws IOException, InterruptedException {
        if (!present()) return;
        Visit visit = open(folder, false, pages);
        assertEquals(List.of(), visit.console());
        assertEquals(WIDTHS.length * pages.size(), visit.answers().size());
        for (JsonNode page : visit.answers()) {
            assertTrue(page.path("scroll").asInt() <= page.path("width").asInt(), page.toString());
            assertTrue(page.path("widest").asDouble() <= page.path("width").asInt(), page.toString());
            assertEquals(0, page.path("loaded").size(), page.toString());
            assertTrue(page.path("pictures").asInt() >= 2, page.toString());
            assertEquals(0, page.path("unnamed").asInt(), page.toString());
            assertTrue(page.path("texts").asBoolean(), page.toString());
            assertEquals("rgb(255, 255, 255)", page.path("background").asText());
        }
    }

    /** The program; null where there is none. */
    static String program() {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(java.io.File.pathSeparator)) {
            for (String name : NAMES) {
                if (Files.isExecutable(Path.of(folder, name)))
                    return Path.of(folder, name).toString();
            }
        }
        return null;
    }

    /** What each page says of itself at each width, and what the console said. */
    record Visit(JsonNode answers, List<String> console) {}

    /** @param dark whether the reader prefers it */
    static Visit open(Path folder, boolean dark, List<Path> pages) throws IOException, InterruptedException {
        StringBuilder html = new StringBuilder("<!DOCTYPE html><html><body>");
        for (Path page : pages) {
            for (int width : WIDTHS) {
                String inner = Picture.escape(Files.readString(page));
                html.append("<iframe height=800 width=" + width + " title=\"" + page + "\" srcdoc=\"" + inner + "\">");
                html.append("</iframe>\n");
            }
        }
        Path outer = folder.resolve("frames.html");
        Files.writeString(outer, html + ASK + "</body></html>");
        List<String> command = new ArrayList<>(List.of(program(), "--headless", "--no-sandbox", "--disable-gpu"));
        command.addAll(List.of("--user-data-dir=" + folder.resolve("profile"), "--enable-logging=stderr", "--v=0"));
        if (dark) command.add("--blink-settings=preferredColorScheme=0");
        command.addAll(List.of("--window-size=1500,1000", "--virtual-time-budget=20000", "--dump-dom"));
        command.add(outer.toUri().toString());
        Path out = folder.resolve("dom.txt");
        Path err = folder.resolve("console.txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(3, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IOException("the browser did not end");
        }
        String dom = Files.readString(out);
        Matcher answer = ANSWER.matcher(dom);
        if (!answer.find()) throw new IOException("no answer in " + dom + Files.readString(err));
        String text = answer.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        return new Visit(
                Json.parse(text, "answer"),
                Files.readAllLines(err).stream()
                        .filter(l -> l.contains("CONSOLE"))
                        .toList());
    }
}
