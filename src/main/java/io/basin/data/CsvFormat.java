package io.basin.data;

import io.basin.device.Shape;
import io.basin.text.Printable;
import io.basin.text.Reason;
import io.basin.text.Require;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads tables: a line of column names, then a line for each sample. The column {@code label} names its class; all others are
 * finite numbers, its features. Columns are parted by commas, semicolons or tabs, as the first line shows.
 *
 * <p>Classes are the labels that occur, in numerical order where all of them are whole numbers, else in the order of their text.
 */
final class CsvFormat {
    private static final String LABEL = "label";
    private static final String REMEDY = "Write a CSV file in UTF-8 with column names, a column 'label', and numbers";

    /** The parser's mark of a cell in quotes. */
    private static final Pattern QUOTE = Pattern.compile("(?:startline |encapsulated token .*line: )([0-9]+)");

    private final String name;
    private final boolean labelled;
    private final List<String> features = new ArrayList<>();
    /** Names of the classes as they first occurred, and their numbers in this order. */
    private final Map<String, Integer> seen = new LinkedHashMap<>();

    private int count;
    private int[] labels = new int[0];
    private float[] values = new float[0];

    /** @param labelled whether there must be labels; else they are passed over */
    private CsvFormat(Path file, boolean labelled) {
        name = file.toString();
        this.labelled = labelled;
        try (CSVParser rows = open(file)) {
            Iterator<CSVRecord> all = rows.iterator();
            if (!all.hasNext()) throw fault("is empty");
            all.next().stream().map(this::cell).forEach(features::add);
            int label = features.indexOf(LABEL);
            requireNames(rows.getCurrentLineNumber(), label);
            if (label >= 0) features.remove(label);
            if (features.isEmpty()) throw fault("has no column but 'label'");
            // A digit and a delimiter each, but for the end of the last line.
            long cap = Files.size(file) / (2L * features.size()) + 1;
            // An iterator that has read no further than its row: the parser's line is the row's last.
            all.forEachRemaining(row -> add(row, rows.getCurrentLineNumber(), label, cap));
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            throw unreadable(name, e);
        }
        if (count == 0) {
            throw DataException.of(
                    name,
                    "has a line of column names and no line of numbers below it, so it holds no samples",
                    "Add a line for each sample");
        }
        values = Arrays.copyOf(values, count * features.size());
        labels = Arrays.copyOf(labels, count);
    }

    private static DataException unreadable(String name, Exception e) {
        Matcher quote = QUOTE.matcher(Reason.of(e));
        if (!quote.find()) return DataException.of(name, "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
        return DataException.of(
                name,
                "line " + quote.group(1) + " has a cell in double quotes that does not end with one",
                "Close it; a double quote within such a cell is written twice",
                e);
    }

    private void requireNames(long line, int label) {
        String shown = "line " + line + " '" + Printable.of(String.join(", ", features)) + "'";
        if (isRow(label)) {
            throw DataException.of(
                    name,
                    shown + " holds numbers and no column names",
                    "Put a line with the names of the columns above it" + (labelled ? ", one of them 'label'" : ""));
        }
        if (labelled && label < 0) {
            throw DataException.of(
                    name,
                    shown + " has no column 'label' among the names of its columns",
                    "Call the column that names the classes 'label'");
        }
        if (features.contains("")) {
            throw DataException.of(
                    name,
                    "line " + line + " has a column without a name, the " + (features.indexOf("") + 1) + ". of "
                            + features.size(),
                    "Give it one, or leave the column out (pandas writes such a one without index=False)");
        }
        Set<String> seen = new HashSet<>();
        for (String feature : features) {
            if (seen.add(feature)) continue;
            throw DataException.of(
                    name,
                    "line " + line + " has two columns of one name, '" + Printable.of(feature) + "'",
                    "Give each column a name of its own");
        }
    }

    /** Whether the first line is a sample's: all but a label are numbers. Whole ones, each once, number columns. */
    private boolean isRow(int label) {
        if (label >= 0) return false;
        List<String> numbers = features.stream().filter(CsvFormat::isNumber).toList();
        if (numbers.isEmpty() || numbers.size() < features.size() - 1) return false;
        boolean counts = numbers.stream().allMatch(n -> n.matches("[0-9]+"))
                && Set.copyOf(numbers).size() == numbers.size();
        return labelled ? features.size() > 1 || !counts : !counts;
    }

    private static boolean isNumber(String text) {
        try {
            return Float.isFinite(Float.parseFloat(Require.decimal(text)));
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** Names of a table's features. */
    static List<String> columns(Path file) {
        try (CSVParser rows = open(file)) {
            Iterator<CSVRecord> all = rows.iterator();
            if (!all.hasNext()) return List.of();
            return all.next().stream()
                    .map(String::strip)
                    .filter(c -> !c.equals(LABEL))
                    .toList();
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            throw unreadable(file.toString(), e);
        }
    }

    /**
     * Reads samples alone.
     *
     * @param columns the features in the order that is wanted; empty to take them as they come
     * @param like a set of vectors of as many features
     * @return samples labelled 0
     */
    static Dataset samples(Path file, List<String> columns, Dataset like) {
        CsvFormat table = new CsvFormat(file, false);
        int width = table.features.size();
        boolean named = columns.isEmpty() || Set.copyOf(columns).equals(Set.copyOf(table.features));
        if (width != like.channels() || !named) {
            throw table.fault("has the columns " + Printable.of(String.join(", ", table.features))
                    + ", and the net takes "
                    + (columns.isEmpty() ? like.channels() + " numbers" : Printable.of(String.join(", ", columns))));
        }
        float[] values = table.values;
        if (!columns.isEmpty()) {
            int[] from = columns.stream().mapToInt(table.features::indexOf).toArray();
            values = new float[values.length];
            for (int i = 0; i < values.length; i++) values[i] = table.values[i - i % width + from[i % width]];
        }
        return Dataset.labelled(values, new int[table.count], like.sample(), like.classNames());
    }

    /** Reads the files of all parts, whose columns must be the same. */
    static Map<String, Dataset> read(Map<String, Path> files, String name) {
        Map<String, CsvFormat> tables = new LinkedHashMap<>();
        files.forEach((part, file) -> tables.put(part, new CsvFormat(file, true)));
        List<String> features = tables.values().iterator().next().features;
        TreeSet<String> seen = new TreeSet<>();
        tables.values().forEach(t -> seen.addAll(t.seen.keySet()));
        boolean whole = seen.stream().allMatch(l -> l.matches("-?[0-9]{1,9}"));
        List<String> classes = seen.stream()
                .sorted(whole ? Comparator.comparing(Integer::valueOf) : Comparator.naturalOrder())
                .toList();
        Map<String, Integer> numbers = new LinkedHashMap<>();
        classes.forEach(c -> numbers.put(c, numbers.size()));
        Map<String, Dataset> parts = new LinkedHashMap<>();
        tables.forEach((part, table) -> {
            if (!table.features.equals(features)) throw table.fault("has other columns than the training part");
            int[] number = table.seen.keySet().stream().mapToInt(numbers::get).toArray();
            int[] labels = Arrays.stream(table.labels).map(l -> number[l]).toArray();
            Shape sample = Shape.of(features.size(), 1, 1);
            parts.put(
                    part,
                    Dataset.labelled(table.values, labels, sample, classes)
                            .columnsNamed(features)
                            .named(name + " " + part));
        });
        return parts;
    }

    private static CSVParser open(Path file) throws IOException {
        String first;
        try (var lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            char[] head = new char[1 << 12];
            first = new String(head, 0, Math.max(0, lines.read(head)))
                    .lines()
                    .findFirst()
                    .orElse("");
        }
        char mark = first.indexOf('\t') >= 0 ? '\t' : first.indexOf(';') >= 0 ? ';' : ',';
        CSVFormat format = CSVFormat.RFC4180
                .builder()
                .setDelimiter(mark)
                .setIgnoreEmptyLines(true)
                .get();
        var in = Files.newBufferedReader(file, StandardCharsets.UTF_8);
        try {
            in.mark(1);
            // Spreadsheets write a byte order mark.
            if (in.read() != 0xFEFF) in.reset();
            return CSVParser.builder().setReader(in).setFormat(format).get();
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    /** The text between two delimiters; white space around it does not count. */
    private String cell(String text) {
        if (text.indexOf('\0') < 0) return text.strip();
        throw fault("holds the character 0, so it is not text or is damaged");
    }

    private void add(CSVRecord row, long line, int label, long cap) {
        int columns = features.size() + (label < 0 ? 0 : 1);
        if (row.size() != columns) {
            throw DataException.of(
                    name,
                    "line " + line + " has " + row.size() + " columns, the first line " + columns,
                    "Put what holds the mark that parts columns between double quotes, or give each line as many cells");
        }
        int at = count * features.size();
        if (at + (long) features.size() > Capped.MAX_ARRAY / 4) throw fault("has more than 2 GiB of numbers");
        if (count == labels.length) {
            long more = Math.min(Math.max(64, 2L * count), Math.max(cap, count + 1));
            more = Math.min(more, Capped.MAX_ARRAY / 4 / features.size());
            labels = Arrays.copyOf(labels, (int) more);
            values = Arrays.copyOf(values, (int) more * features.size());
        }
        for (int i = 0; i < row.size(); i++) {
            if (i != label)
                values[at++] = number(cell(row.get(i)), line, features.get(label < 0 || i < label ? i : i - 1));
        }
        if (label >= 0) {
            String name = cell(row.get(label));
            if (labelled && name.isEmpty()) throw fault("line " + line + " has no label");
            labels[count] = seen.computeIfAbsent(name, n -> seen.size());
        }
        count++;
        if (labelled && seen.size() > OwnData.MOST_CLASSES)
            throw fault("has more than " + OwnData.MOST_CLASSES + " different labels");
    }

    private float number(String text, long line, String column) {
        String fault = text.matches("[-+]?[0-9.]*,[0-9.,]+") ? "has a comma: write 1234.5" : "is not a finite number";
        try {
            float value = Float.parseFloat(Require.decimal(text));
            if (Float.isFinite(value)) return value;
            if (Double.isFinite(Double.parseDouble(text))) fault = "float32 cannot hold";
        } catch (NumberFormatException e) {
            // As below: to a reader both are the same fault.
        }
        throw fault("line " + line + ", column '" + Printable.of(column) + "' is '" + Printable.of(text) + "', which "
                + fault);
    }

    private DataException fault(String wrong) {
        return DataException.of(name, wrong, labelled ? REMEDY : REMEDY.replace(" a column 'label',", ""));
    }
}
