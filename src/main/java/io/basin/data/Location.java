package io.basin.data;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.CatalogEntry.DataFile;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The files of a data set that would be used.
 *
 * @param place why this folder
 * @param folder where the files are, or for {@link Place#NOWHERE} where a download would put them
 * @param files the files: those of the catalogue in its order, or the one archive; empty for {@link Place#NOWHERE}
 */
@Api
public record Location(CatalogEntry entry, Place place, Path folder, List<Path> files) {
    /** The places searched, in their order. */
    public enum Place {
        /** The folder that the user named. */
        DATA_DIR,
        /** {@code $BASIN_DATA}. */
        ENVIRONMENT,
        /** The operating system's packages. */
        SYSTEM,
        /** The cache, where downloads go. */
        CACHE,
        /** In none of them, and no folder was named. */
        NOWHERE
    }

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

    /**
     * The result of checking one file of a data set.
     *
     * @param file its name in the catalogue
     * @param where the file read, with the archive it is in
     * @param detail for people: what is wrong and, if anything is, what was found
     */
    public record FileStatus(String file, String where, State state, String detail) {
        /** Whether the content is the published one. */
        public boolean ok() {
            return state == State.VERIFIED;
        }
    }

    public Location {
        files = List.copyOf(files);
    }

    /** Whether the files exist. */
    public boolean present() {
        return place != Place.NOWHERE;
    }

    /** Whether the data set is here as its archive rather than as separate files. */
    private boolean isArchive() {
        return entry.archived() && files.size() == 1;
    }

    /** Reads the data set; content is not compared with the published sums. */
    TrainTest read(Progress progress) {
        try (Progress.Counter counter = progress.start("reading " + entry.name(), files.size(), "files")) {
            if (entry.format() == CatalogEntry.Format.IDX) {
                Dataset train = IdxFormat.read(files.get(0), files.get(1), entry.name() + " train", entry.classNames());
                counter.step(2);
                Dataset test = IdxFormat.read(files.get(2), files.get(3), entry.name() + " test", entry.classNames());
                counter.step(2);
                requireSameSize(train, test);
                return new TrainTest(entry.name(), train, test);
            }
            TrainTest both = isArchive()
                    ? entry.cifar().readArchive(files.get(0), entry.name(), entry.classNames())
                    : entry.cifar().readFolder(folder, entry.name(), entry.classNames());
            counter.step(files.size());
            return both;
        }
    }

    private void requireSameSize(Dataset train, Dataset test) {
        if (train.height() == test.height() && train.width() == test.width()) return;
        throw DataException.of(
                folder.toString(),
                "its training images are " + train.height() + " x " + train.width() + ", its test images "
                        + test.height() + " x " + test.width(),
                "Use files of the same set");
    }

    /**
     * Compares the files with the published ones by the SHA-256 of their decompressed bytes, since distributions recompress: the
     * Debian package of Fashion-MNIST has other archive sums than its publishers and the same content.
     *
     * @return one status per file of the catalogue, in its order
     */
    List<FileStatus> verify(Progress progress) {
        try (Progress.Counter counter =
                progress.start("verifying " + entry.name(), entry.files().size(), "files")) {
            Map<DataFile, FileStatus> found = new HashMap<>();
            if (isArchive()) return verifyArchive(files.get(0), counter);
            for (int i = 0; i < files.size(); i++) {
                DataFile file = entry.files().get(i);
                found.put(file, verify(file, files.get(i)));
                counter.step(1);
            }
            return all(found, folder, null);
        }
    }

    private static FileStatus verify(DataFile file, Path path) {
        try {
            return compare(file, path.toString(), Capped.sha256(path, 2 * file.bytes()));
        } catch (IOException e) {
            return unreadable(file, path, e);
        }
    }

    private List<FileStatus> verifyArchive(Path archive, Progress.Counter counter) {
        Map<DataFile, FileStatus> found = new HashMap<>();
        try (InputStream in = Files.newInputStream(archive)) {
            TarReader.read(in, Files.size(archive), archive.toString(), (path, length, content) -> {
                for (DataFile file : entry.files()) {
                    if (!path.substring(path.lastIndexOf('/') + 1).equals(file.name())) continue;
                    found.put(file, compare(file, archive + " (" + path + ")", Sha256.of(content)));
                    counter.step(1);
                }
            });
        } catch (IOException | DataException e) {
            // Damage behind the last file, which reading would refuse.
            if (found.size() == entry.files().size()) found.clear();
            return all(found, archive, e);
        }
        return all(found, archive, null);
    }

    /** Files not found are missing, or unreadable where reading failed. */
    private List<FileStatus> all(Map<DataFile, FileStatus> found, Path where, @Nullable Exception failure) {
        List<FileStatus> all = new ArrayList<>();
        for (DataFile file : entry.files()) {
            FileStatus absent = failure == null
                    ? new FileStatus(file.name(), where.toString(), State.MISSING, "no such file")
                    : unreadable(file, where, failure);
            all.add(found.getOrDefault(file, absent));
        }
        return all;
    }

    private static FileStatus compare(DataFile file, String where, String sum) {
        boolean same = sum.equals(file.sha256());
        String detail =
                same ? "SHA-256 as published" : "SHA-256 of the content is " + sum + ", published is " + file.sha256();
        return new FileStatus(file.name(), where, same ? State.VERIFIED : State.DIFFERENT, detail);
    }

    private static FileStatus unreadable(DataFile file, Path path, Exception e) {
        return new FileStatus(file.name(), path.toString(), State.UNREADABLE, Reason.of(e));
    }
}
