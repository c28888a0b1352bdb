package io.basin.data;

import io.basin.data.CatalogEntry.DataFile;
import io.basin.data.FileStatus.State;
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
 * Compares the files of a data set with the published ones, by the SHA-256 of their decompressed bytes.
 *
 * <p>Decompressed, because distributions recompress: the Debian package of Fashion-MNIST has other archive sums than
 * its publishers and the same content.
 */
final class Verifier {
    private Verifier() {}

    /** One status per file of the catalogue, in its order. */
    static List<FileStatus> verify(Location location, Progress progress) {
        CatalogEntry entry = location.entry();
        try (Progress.Counter counter =
                progress.start("verifying " + entry.name(), entry.files().size(), "files")) {
            return location.isArchive()
                    ? verifyArchive(entry, location.files().get(0), counter)
                    : verifyFiles(location, counter);
        }
    }

    private static List<FileStatus> verifyFiles(Location location, Progress.Counter counter) {
        List<FileStatus> statuses = new ArrayList<>();
        for (int i = 0; i < location.entry().files().size(); i++) {
            DataFile file = location.entry().files().get(i);
            if (!location.present()) {
                statuses.add(missing(file, location.folder().toString()));
            } else {
                Path path = location.files().get(i);
                statuses.add(verifyFile(file, path));
            }
            counter.step(1);
        }
        return statuses;
    }

    private static FileStatus verifyFile(DataFile file, Path path) {
        try {
            return compare(file, path.toString(), Capped.sha256(path, 2 * file.bytes()));
        } catch (IOException e) {
            return unreadable(file, path, e);
        }
    }

    private static List<FileStatus> verifyArchive(CatalogEntry entry, Path archive, Progress.Counter counter) {
        Map<String, FileStatus> found = new HashMap<>();
        Exception failure = null;
        try (InputStream in = Files.newInputStream(archive)) {
            TarReader tar = new TarReader(CifarFormat.openArchive(in, Files.size(archive)), archive.toString());
            for (TarReader.Entry member = tar.next(); member != null; member = tar.next()) {
                for (DataFile file : entry.files()) {
                    if (file.name().equals(member.name())) {
                        String where = archive + " (" + member.path() + ")";
                        found.put(file.name(), compare(file, where, Sha256.of(tar.content())));
                        counter.step(1);
                    }
                }
            }
        } catch (IOException | DataException e) {
            failure = e;
        }
        List<FileStatus> statuses = new ArrayList<>();
        for (DataFile file : entry.files()) {
            FileStatus absent =
                    failure == null ? missing(file, archive.toString()) : unreadable(file, archive, failure);
            statuses.add(found.getOrDefault(file.name(), absent));
        }
        return statuses;
    }

    private static FileStatus compare(DataFile file, String where, String sum) {
        return sum.equals(file.sha256())
                ? new FileStatus(file.name(), where, State.VERIFIED, "SHA-256 as published")
                : new FileStatus(
                        file.name(),
                        where,
                        State.DIFFERENT,
                        "SHA-256 of the content is " + sum + ", published is " + file.sha256());
    }

    private static FileStatus missing(DataFile file, String where) {
        return new FileStatus(file.name(), where, State.MISSING, "no such file");
    }

    private static FileStatus unreadable(DataFile file, Path path, Exception e) {
        return new FileStatus(file.name(), path.toString(), State.UNREADABLE, Reason.of(e));
    }
}
