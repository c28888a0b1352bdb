package io.basin.data;

import io.basin.io.Json;
import io.basin.text.Closest;
import io.basin.text.Require;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * The data sets that can be asked for by name.
 *
 * <p>Addresses and sums are part of the program rather than a downloaded list: the meaning of a name must not change under a user.
 */
public final class Catalog {
    private static final List<CatalogEntry> ENTRIES = read("/io/basin/catalog.json");

    private Catalog() {}

    private static List<CatalogEntry> read(String resource) {
        try (InputStream in = Catalog.class.getResourceAsStream(resource)) {
            return List.of(Json.as(Json.parse(in.readAllBytes(), resource), CatalogEntry[].class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static List<String> names() {
        return ENTRIES.stream().map(CatalogEntry::name).toList();
    }

    /** The data set of that name. */
    public static CatalogEntry find(String name) {
        Require.given("name", name);
        return ENTRIES.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("`dataset`: " + Closest.unknown("data set", name, names())));
    }
}
