package io.basin.data;

import io.basin.Api;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A published data set.
 *
 * @param name what users call it: {@code fashion-mnist}
 * @param licence as its publishers state it, or {@code "not stated"}
 * @param format how its files are laid out
 * @param mirrors addresses of folders that hold the downloads, tried in order; each ends with a slash
 * @param downloads files to fetch
 * @param files the files that the data set consists of, decompressed and unpacked, in the format's order
 * @param classNames one name per class, in the order of the labels
 */
@Api
public record CatalogEntry(
        String name,
        String licence,
        Format format,
        List<String> mirrors,
        List<RemoteFile> downloads,
        List<DataFile> files,
        List<String> classNames) {

    /** The formats that {@link IdxFormat} and {@link CifarFormat} read. */
    public enum Format {
        IDX,
        CIFAR10,
        CIFAR100
    }

    /**
     * One file of the data set, decompressed.
     *
     * @param bytes its length
     * @param sha256 its sum, lower-case hexadecimal
     */
    public record DataFile(String name, long bytes, String sha256) {}

    /**
     * One file to download.
     *
     * <p>Distributions recompress gzip files, so a sum of the compressed bytes says little: where the content is a
     * data file, the content is checked.
     *
     * @param bytes length of the checked bytes
     * @param sha256 sum of the checked bytes, lower-case hexadecimal
     * @param decompressed whether the check is of the decompressed content rather than of the file as sent
     */
    public record RemoteFile(String name, long bytes, String sha256, boolean decompressed) {
        /** No honest transfer of this file is longer. */
        long mostBytes() {
            return decompressed ? bytes + (1 << 16) : bytes;
        }
    }

    public CatalogEntry {
        mirrors = List.copyOf(mirrors);
        downloads = List.copyOf(downloads);
        files = List.copyOf(files);
        classNames = List.copyOf(classNames);
    }

    /** Whether the data set is published as one archive of several files. */
    boolean archived() {
        return format != Format.IDX;
    }

    /** The reader of a CIFAR format. */
    CifarFormat cifar() {
        return format == Format.CIFAR10 ? CifarFormat.CIFAR10 : CifarFormat.CIFAR100;
    }

    /** The files that a folder must hold, for messages. */
    String expectedFiles() {
        String names = files.stream()
                .map(file -> archived() ? file.name() : file.name() + "[.gz]")
                .collect(Collectors.joining(", "));
        return archived() ? downloads.get(0).name() + ", or " + names : names;
    }
}
