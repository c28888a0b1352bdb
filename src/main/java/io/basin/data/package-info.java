/**
 * Data sets: found or downloaded, checked, read, parted and turned into network inputs.
 *
 * <p>An {@link io.basin.data.Dataset} is one flat array of bytes, which a device uploads once. What happens to it afterwards,
 * order, crop, flip and normalisation, is defined here by a few lines of plain Java, {@link io.basin.device.Augment} over {@link
 * io.basin.random}, and reproduced by every device: results can be compared across devices only if the batches are the same ones.
 *
 * <p>Where files come from is kept apart from how they are read. {@link io.basin.data.Catalog} says what exists, {@link
 * io.basin.data.DataSets} where it is, {@link io.basin.data.Download} brings it; {@link io.basin.data.IdxFormat} and {@link
 * io.basin.data.CifarFormat} know only bytes. {@link io.basin.data.Location} joins them. Data of the user's own are named by their
 * path: {@link io.basin.data.OwnData} says how they are read, as pictures, tables or NumPy's arrays.
 *
 * <p>Files are not trusted. Readers compare a header with the real length and with what is needed before they
 * allocate, stay within four times a file and 64 MiB, decompress under a cap, never write to a path taken from an archive, and report everything as one {@link io.basin.data.DataException};
 * a single picture that cannot be read is an {@link io.basin.io.FormatException}.
 * Downloads are checked by the sum of their decompressed content, since distributions recompress, and appear under
 * their name only when whole and right; processes that want the same file take turns.
 *
 * <p>Nothing here prints but what is left out of a folder ({@link io.basin.io.Notices}): long work reports to a {@link
 * io.basin.data.Progress}.
 */
package io.basin.data;
