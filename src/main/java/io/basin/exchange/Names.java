package io.basin.exchange;

import io.basin.io.Disk;
import io.basin.io.FormatException;
import io.basin.text.Closest;
import io.basin.text.Printable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Names of tensors elsewhere and here, one {@code old=new} each: a tensor's whole name, or a layer's, which stands for all
 * tensors under it.
 */
public record Names(Map<String, String> renamed) {
    /** All are called alike. */
    public static final Names SAME = new Names(Map.of());

    /** The prefix that torch.nn.DataParallel puts before every name. */
    private static final String WRAPPER = "module.";

    public Names {
        renamed = Map.copyOf(renamed);
    }

    /** Reads lines of {@code old=new}; empty ones and those that begin with {@code #} are passed over. */
    public static Names read(Path file) {
        Map<String, String> all = new HashMap<>();
        List<String> lines = Disk.lines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) continue;
            String[] words = line.split("\\s*=\\s*", -1);
            boolean good = words.length == 2 && !words[0].isEmpty() && !words[1].isEmpty();
            if (good && all.putIfAbsent(words[0], words[1]) == null) continue;
            throw new FormatException(
                    file.toString(),
                    "line " + (i + 1) + ", '" + Printable.of(line) + "', "
                            + (good
                                    ? "names one a second time"
                                    : "is not" + " old=new, such as classifier.weight=fc.weight")
                            + ": change it");
        }
        return new Names(all);
    }

    /** Of torchvision's VGG, which has no dropout before its first dense layer, where {@code found} has its names. */
    static Names vgg(Set<String> found) {
        boolean theirs = found.stream().anyMatch(n -> n.endsWith("classifier.0.weight"));
        return theirs ? new Names(Map.of("classifier.0", "classifier.1", "classifier.3", "classifier.4")) : SAME;
    }

    /** These before those. */
    Names and(Names others) {
        Map<String, String> all = new HashMap<>(others.renamed);
        all.putAll(renamed);
        return new Names(all);
    }

    /** The file's names by ours. */
    Map<String, String> sources(Path file, Set<String> found) {
        boolean wrapped = found.stream().allMatch(n -> n.startsWith(WRAPPER));
        Map<String, String> sources = new LinkedHashMap<>();
        Set<String> unused = new HashSet<>(renamed.keySet());
        for (String source : found) {
            String plain = wrapped ? source.substring(WRAPPER.length()) : source;
            String name = plain;
            // A tensor's own name goes before its layer's, and that before those around it.
            for (String old = plain; !old.isEmpty(); old = old.substring(0, Math.max(0, old.lastIndexOf('.')))) {
                String mine = renamed.get(old);
                if (mine == null) continue;
                unused.remove(old);
                name = mine + plain.substring(old.length());
                break;
            }
            String other = sources.put(name, source);
            if (other == null) continue;
            throw new IllegalArgumentException("`names`: '" + Printable.of(other) + "' and '" + Printable.of(source)
                    + "' of " + file + " would both be " + Printable.of(name) + "; leave one out");
        }
        if (unused.isEmpty()) return sources;
        String first = unused.stream().sorted().findFirst().orElseThrow();
        throw new IllegalArgumentException("`names`: '" + Printable.of(first) + "' is not a tensor or layer of " + file
                + Closest.hint(first, found));
    }
}
