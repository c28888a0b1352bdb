package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarFormatTest {
    private static final List<String> TEN = Catalog.find("cifar10").classNames();

    @Test
    void planesBecomeInterleavedPixels() {
        TrainTest both = parse(Written.gzip(Written.cifar10Tar(3)));
        assertEquals("set (15, 32, 32, 3), 10 classes", both.train().toString());
        assertEquals(3, both.test().count());
        assertArrayEquals(new int[] {0, 1, 2}, both.test().labels());
        byte[] file = Written.cifar(1, 3, 1); // data_batch_2, so images 3 to 5
        for (int image = 0; image < 3; image++) {
            for (int y = 0; y < 32; y++) {
                for (int x = 0; x < 32; x++) {
                    for (int c = 0; c < 3; c++) {
                        assertEquals(
                                file[image * 3073 + 1 + c * 1024 + y * 32 + x],
                                both.train().pixels()[(((3 + image) * 32 + y) * 32 + x) * 3 + c]);
                    }
                }
            }
        }
    }

    @Test
    void folderArchiveAndPlainTarGiveTheSameImages(@TempDir Path folder) throws Exception {
        for (int i = 0; i < 6; i++) {
            Files.write(folder.resolve(CifarFormat.CIFAR10.fileNames().get(i)), Written.cifar(1, 2, i));
        }
        byte[] tar = Written.cifar10Tar(2);
        Path archive = Files.write(folder.resolve("a.tar.gz"), Written.gzip(tar));
        TrainTest fromFolder = CifarFormat.CIFAR10.readFolder(folder, "set", TEN);
        TrainTest fromArchive = CifarFormat.CIFAR10.readArchive(archive, "set", TEN);
        assertArrayEquals(fromFolder.train().pixels(), fromArchive.train().pixels());
        assertArrayEquals(fromFolder.test().labels(), fromArchive.test().labels());
        assertArrayEquals(fromFolder.train().pixels(), parse(tar).train().pixels());
    }

    @Test
    void cifar100TakesTheFineLabel(@TempDir Path folder) throws Exception {
        byte[] records = Written.cifar(2, 4, 8);
        records[0] = 19; // coarse
        records[1] = 77; // fine
        Files.write(folder.resolve("train.bin"), records);
        Files.write(folder.resolve("test.bin"), records);
        List<String> names = Catalog.find("cifar100").classNames();
        TrainTest both = CifarFormat.CIFAR100.readFolder(folder, "set", names);
        assertArrayEquals(new int[] {77, 1, 2, 3}, both.train().labels());
        assertEquals(records[2 + 1024], both.train().pixels()[1]);
    }

    @Test
    void everyFaultIsNamedWithTheFile(@TempDir Path folder) throws Exception {
        byte[] tar = Written.cifar10Tar(1);
        assertFault("A: lacks data_batch_1.bin", Written.tar());
        assertFault("A: is not a tar archive or is damaged", "no archive at all".getBytes());
        assertFault("A: ends in the middle of a file", Arrays.copyOf(tar, 512 * 4));
        byte[] packed = Written.gzip(tar);
        assertFault("A: is damaged", Arrays.copyOf(packed, packed.length / 2));
        byte[] batch = Written.member("data_batch_1.bin", '0', Written.cifar(1, 1, 0));
        assertFault("A (data_batch_1.bin): occurs twice", Written.tar(batch, batch));
        byte[] odd = Written.member("data_batch_1.bin", '0', new byte[3074]);
        assertFault(
                "A (data_batch_1.bin): has 3074 bytes, which is not a whole number of records of 3073",
                Written.tar(odd));
        byte[] label = Written.cifar10Tar(1);
        label[512 * 4] = 11; // the first byte of data_batch_1.bin, after folder, readme and its own header
        assertFault("A (data_batch_1.bin): label 11 is not below 10", label);
        String message = assertThrows(DataException.class, () -> CifarFormat.CIFAR10.readFolder(folder, "set", TEN))
                .getMessage();
        assertTrue(message.startsWith(folder.resolve("data_batch_1.bin") + ": cannot be read"), message);
    }

    /** Stored uncompressed, a flipped bit changes a pixel and nothing but the CRC. */
    @Test
    void anArchiveIsReadToItsVeryEnd() throws IOException {
        byte[] tar = Written.cifar10Tar(1);
        byte[] packed = Written.gzip(tar, Deflater.NO_COMPRESSION);
        assertEquals(5, parse(packed).train().count());
        byte[] flipped = packed.clone();
        flipped[packed.length / 2] ^= 4;
        assertFault("A: is damaged (its compressed data are damaged)", flipped);
        byte[] sum = packed.clone();
        sum[packed.length - 8] ^= 1;
        assertFault("A: is damaged (its compressed data are damaged)", sum);
        assertFault("A: is damaged (it ends too early)", Arrays.copyOf(packed, packed.length - 8));
        byte[] junk = Arrays.copyOf(tar, tar.length + 512);
        junk[junk.length - 1] = 1;
        assertFault("A: holds other bytes after the archive's end", junk);
        assertFault("A: holds other bytes after the archive's end", Written.gzip(junk));
        byte[] padded = Arrays.copyOf(tar, tar.length + 20_000);
        assertEquals(5, parse(padded).train().count());
        for (int more = 1; more < 40; more++) {
            byte[] longer = Arrays.copyOf(packed, packed.length + more);
            assertFault("A: is damaged (other bytes follow its gzip data)", longer);
        }
    }

    @Test
    void namesThatLeaveTheArchiveAreRefused() {
        for (String name : List.of("../data_batch_1.bin", "/data_batch_1.bin", "a/../../b", "a\\..\\b", "..")) {
            assertFault("A: holds the unsafe file name", Written.tar(Written.member(name, '0', new byte[10])));
        }
        assertFault("A: lacks", Written.tar(Written.member("a..b", '0', new byte[10])));
    }

    @Test
    void linksAndOtherMembersAreNotFollowed() {
        byte[] link = Written.member("data_batch_1.bin", '2', new byte[0]);
        assertFault("A: lacks data_batch_1.bin", Written.tar(link));
    }

    @Test
    void aMemberThatPromisesGigabytesAllocatesNothing() {
        byte[] member = Written.member("data_batch_1.bin", '0', new byte[0]);
        ByteBuffer header = ByteBuffer.wrap(member);
        header.put(124, String.format("%011o", 3073L * 650_000).getBytes());
        Written.seal(header);
        byte[] lying = Written.tar(member);
        long allocated = Allocation.of(
                () -> assertFault("announces 1997450000 bytes in an archive of 1536, which no honest set does", lying));
        assertTrue(allocated < 2_000_000, "allocated " + allocated + " bytes");
        header.put(124, String.format("%011o", 3073L * 2_000_000).getBytes());
        Written.seal(header);
        assertFault("A (data_batch_1.bin): has 6146000000 bytes", Written.tar(member));
    }

    @Test
    void damagedArchivesGiveADataExceptionOrAValidSet() {
        byte[] tar = Written.cifar10Tar(1);
        byte[] packed = Written.gzip(tar);
        Mutation mutation = new Mutation(7);
        int refused = 0;
        for (int i = 0; i < 2_000; i++) {
            byte[] damaged = mutation.of(i % 4 == 0 ? packed : tar);
            try {
                assertFalse(parse(damaged).train().count() < 5);
            } catch (DataException e) {
                refused++;
                assertTrue(e.getMessage().matches("(?s)A.*: .+\\. .+"), e.getMessage());
            }
        }
        assertTrue(refused > 300 && refused < 2_000, "refused " + refused);
    }

    private static TrainTest parse(byte[] archive) {
        return CifarFormat.CIFAR10.parse(new ByteArrayInputStream(archive), archive.length, "A", "set", TEN);
    }

    private static void assertFault(String expected, byte[] archive) {
        String message = assertThrows(DataException.class, () -> parse(archive)).getMessage();
        assertTrue(message.contains(expected), message);
        assertTrue(message.matches("(?s).*\\. (Replace|Fetch|If they are meant).*"), message);
    }
}
