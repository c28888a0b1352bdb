package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every kind of page in a browser: nothing is loaded, nothing complains, nothing is wider than the window but in its own box. */
class BrowserTest {
    private static final String LONG =
            "runs/a-folder-with-a-name-that-does-not-end/seed-1/swa/swa.safetensors".repeat(3);

    @TempDir
    Path folder;

    @BeforeEach
    void pages() {
        Sample.comparison(folder.resolve("compare.html"));
        double[] axis = {0, 1, 2};
        double[][] z = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}};
        new Page("A landscape of " + LONG)
                .conclusion("The lowest point of " + LONG)
                .figure(new Contours("Loss", "distance", "nats", axis, axis, z, 0), "Caption " + LONG, "loss")
                .figure(new Relief("Loss", "nats", axis, axis, z, 0).mark("A", 1, 1), "Hills", "loss-3d")
                .figure(
                        new Lines("Path", "t", "loss").line("curve", axis, axis).shade(axis, axis, axis),
                        "Path",
                        "path")
                .table(List.of(List.of("net", "x", "y"), List.of(LONG, "1", "2")))
                .facts(Map.of("file", LONG), new Made(Map.of("command", LONG), Map.of("--out", LONG)))
                .write(folder.resolve("landscape.html"));
    }

    private List<Path> both() {
        return List.of(folder.resolve("compare.html"), folder.resolve("landscape.html"));
    }

    @Test
    void nothingIsLoadedNothingComplainsAndNothingOverflows() throws Exception {
        Browser.requireSound(folder, both());
    }

    @Test
    void readersWhoPreferDarkGetIt() throws Exception {
        if (!Browser.present()) return;
        JsonNode page = Browser.open(folder, true, both()).answers().path(0);
        assertEquals("rgb(22, 22, 22)", page.path("background").asText());
        assertNotEquals(0, page.path("pictures").asInt());
    }

    /** That the test sees what it says it sees. */
    @Test
    void aPageThatIsTooWideOrLoadsOrComplainsIsNoticed() throws Exception {
        if (!Browser.present()) return;
        Path bad = folder.resolve("bad.html");
        Files.writeString(
                bad,
                "<html><body><p style=width:2000px>wide</p><img src=\"no.png\">"
                        + "<script>console.error('broken')</script></body></html>");
        Browser.Visit visit = Browser.open(folder, false, List.of(bad));
        assertTrue(
                visit.console().stream().anyMatch(l -> l.contains("broken")),
                visit.console().toString());
        JsonNode page = visit.answers().path(1);
        assertTrue(page.path("scroll").asInt() > 1400 && page.path("widest").asInt() > 1400, page.toString());
        assertEquals(2, page.path("loaded").size(), page.toString());
    }
}
