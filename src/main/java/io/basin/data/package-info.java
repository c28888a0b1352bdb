/**
 * Data sets: found or downloaded, checked, read, parted and turned into network inputs.
 *
 * <p>An {@link io.basin.data.ImageSet} is one flat array of bytes, which a device uploads once. What happens to it
 * afterwards, order, crop, flip and normalisation, is defined here by a few lines of plain Java,
 * {@link io.basin.data.Augment} over {@link io.basin.random}, and reproduced by every device: results can be compared
 * across devices only if the batches are the same ones.
 *
 * <p>Where files come from is kept apart from how they are read. {@link io.basin.data.Catalog} says what exists,
 * {@link io.basin.data.Locator} where it is, {@link io.basin.data.Download} brings it;
 * {@link io.basin.data.IdxFormat} and {@link io.basin.data.CifarFormat} know only bytes.
 * {@link io.basin.data.DataStore} joins them, {@link io.basin.data.DataSets} is that for this machine.
 *
 * <p>Files are not trusted. Readers compare a header with the real length and with what is needed before they
 * allocate, stay within four times a file and 64 MiB, decompress under a cap, never write to a path taken from an archive, and report everything as one {@link io.basin.data.DataException}.
 * Downloads are checked by the sum of their decompressed content, since distributions recompress, and appear under
 * their name only when whole and right; processes that want the same file take turns.
 *
 * <p>Nothing here prints: long work reports to a {@link io.basin.data.Progress}.
 */
package io.basin.data;
