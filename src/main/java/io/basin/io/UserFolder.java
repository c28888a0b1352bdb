package io.basin.io;

import java.nio.file.Path;

/**
 * Folders that the user names by a flag or a variable, and the cache.
 *
 * <p>What is named is used or refused, never replaced: another folder would give other results without a word.
 */
public final class UserFolder {
    /** Environment variable with the folder for what can be made or downloaded again. */
    public static final String CACHE_VARIABLE = "BASIN_CACHE";

    private UserFolder() {}

    /**
     * The folder of that name, absolute. A shell expands {@code ~} at the start of a word only, so {@code --flag=~/data} and a
     * quoted variable arrive with it: it is the home folder here too.
     *
     * @param source the flag or variable, for messages
     */
    public static Path of(String source, String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException(source + " is set and empty: name a folder, or unset it");
        }
        boolean home = text.equals("~") || text.startsWith("~/");
        if (text.startsWith("~") && !home) {
            throw new IllegalArgumentException(
                    source + " is " + text + ": only '~' alone is understood here; write the folder's whole path");
        }
        String expanded = home ? System.getProperty("user.home") + text.substring(1) : text;
        try {
            return Path.of(expanded).toAbsolutePath().normalize();
        } catch (java.nio.file.InvalidPathException e) {
            throw new IllegalArgumentException(source + " is not a path: " + e.getMessage(), e);
        }
    }

    /** {@code $BASIN_CACHE}, or {@code .cache/basin} in the home folder; not made, and relative where the user has no home. */
    public static Path cache() {
        String named = System.getenv(CACHE_VARIABLE);
        return named != null
                ? of("$" + CACHE_VARIABLE, named)
                : Path.of(System.getProperty("user.home"), ".cache", "basin");
    }
}
