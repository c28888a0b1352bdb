package io.basin.data;

/**
 * What checking one file of a data set found.
 *
 * @param file its name in the catalogue
 * @param where the file read, with the archive it is in
 * @param detail for people: what is wrong and, if anything is, what was found
 */
public record FileStatus(String file, String where, State state, String detail) {
    /** Results of a check. */
    public enum State {
        /** The content is the published one. */
        VERIFIED,
        /** There is a file, but its content is another: damaged, or the user's own data in this format. */
        DIFFERENT,
        /** There is no such file. */
        MISSING,
        /** The file cannot be read or decompressed. */
        UNREADABLE
    }

    /** Whether the content is the published one. */
    public boolean ok() {
        return state == State.VERIFIED;
    }
}
