package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CatalogTest {
    @Test
    void fourSetsAreKnown() {
        assertEquals(List.of("fashion-mnist", "mnist", "cifar10", "cifar100"), Catalog.names());
    }

    @Test
    void everyEntryIsComplete() {
        Set<String> sums = new HashSet<>();
        int files = 0;
        for (String name : Catalog.names()) {
            CatalogEntry entry = Catalog.find(name);
            for (CatalogEntry.DataFile file : entry.files()) {
                assertTrue(file.sha256().matches("[0-9a-f]{64}"), name);
                sums.add(file.sha256());
                files++;
            }
            for (CatalogEntry.RemoteFile file : entry.downloads()) {
                assertTrue(file.sha256().matches("[0-9a-f]{64}"), name);
                assertTrue(file.bytes() > 0);
            }
            for (String mirror : entry.mirrors()) {
                assertTrue(mirror.matches("https?://.*/"), mirror);
            }
            int classes = name.equals("cifar100") ? 100 : 10;
            assertEquals(classes, Set.copyOf(entry.classNames()).size(), name);
        }
        assertEquals(files, sums.size(), "a sum is listed twice");
    }

    @Test
    void lengthsFollowFromTheFormats() {
        for (String name : List.of("fashion-mnist", "mnist")) {
            List<CatalogEntry.DataFile> files = Catalog.find(name).files();
            assertEquals(16 + 60_000 * 28 * 28, files.get(0).bytes());
            assertEquals(8 + 60_000, files.get(1).bytes());
            assertEquals(16 + 10_000 * 28 * 28, files.get(2).bytes());
            assertEquals(8 + 10_000, files.get(3).bytes());
        }
        Catalog.find("cifar10").files().forEach(file -> assertEquals(10_000 * 3073, file.bytes()));
        assertEquals(50_000 * 3074, Catalog.find("cifar100").files().get(0).bytes());
        assertEquals(10_000 * 3074, Catalog.find("cifar100").files().get(1).bytes());
    }

    @Test
    void cifar100NamesAreAlphabetical() {
        List<String> names = Catalog.find("cifar100").classNames();
        assertEquals(names.stream().sorted().toList(), names);
    }

    @Test
    void anUnknownNameSuggestsTheClosest() {
        assertEquals(
                "`dataset`: unknown data set 'CIFAR-10'; did you mean 'cifar10'? Known:"
                        + " fashion-mnist, mnist, cifar10, cifar100",
                message("CIFAR-10"));
        assertTrue(message("fashon_mnist").contains("did you mean 'fashion-mnist'?"));
        assertTrue(message("cifar-1000").contains("did you mean 'cifar100'?"));
        assertTrue(message("minst").contains("did you mean 'mnist'?"));
        assertEquals(
                "`dataset`: unknown data set 'imagenet'; known: fashion-mnist, mnist, cifar10, cifar100",
                message("imagenet"));
    }

    private static String message(String name) {
        return assertThrows(IllegalArgumentException.class, () -> Catalog.find(name))
                .getMessage();
    }
}
