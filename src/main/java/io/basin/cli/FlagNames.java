package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.text.Printable;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flag of a parameter that the engine or {@code config.json} names, and its value as a user would type it. */
final class FlagNames {
    private static final Pattern QUOTED = Pattern.compile("`([A-Za-z][\\w.-]*)`");
    private static final Map<String, String> FLAGS = new HashMap<>(Map.of(
            "dataset", "DATASET",
            "grid.span", "--plane-directions",
            "cells", "--grid",
            "low", "--axis-from",
            "high", "--axis-to",
            "sampling.plain", "--bn-plain",
            "nets", "FILE"));

    static {
        for (Class<?> command : Main.class.getAnnotation(Command.class).subcommands()) options(command);
    }

    private FlagNames() {}

    /** Those of a command or a mixin and of what it is made of. */
    private static void options(Class<?> type) {
        if (type.getSuperclass() != null) options(type.getSuperclass());
        for (Field field : type.getDeclaredFields()) {
            if (field.isAnnotationPresent(Mixin.class)) options(field.getType());
            Option option = field.getAnnotation(Option.class);
            TrainingOptions.Sets sets = field.getAnnotation(TrainingOptions.Sets.class);
            if (option == null) continue;
            String[] names = sets == null ? new String[] {field.getName()} : sets.value();
            for (String name : names) FLAGS.putIfAbsent(name, option.names()[0]);
        }
    }

    /** The flag of a parameter or of its longest known suffix; by default the part of {@code name} after its last point. */
    static String of(String name) {
        for (String part = name; ; part = part.substring(part.indexOf('.') + 1)) {
            if (FLAGS.containsKey(part)) return FLAGS.get(part);
            if (part.indexOf('.') < 0) return "--" + part;
        }
    }

    /** The flag of a parameter; where none is known, its full name, such as {@code methods.fge.cycle}. */
    static String label(String name) {
        String flag = of(name);
        return FLAGS.containsValue(flag) ? flag : name;
    }

    /** The engine's message with flags in the place of parameters, which it names between back-quotes. */
    static String said(String text) {
        return QUOTED.matcher(text).replaceAll(m -> {
            String flag = FLAGS.get(m.group(1));
            return Matcher.quoteReplacement(flag == null ? m.group(1) : flag);
        });
    }

    /** Says remarks one by one; returns them as they were said. */
    static List<String> say(List<String> remarks, Consumer<String> to) {
        List<String> all = remarks.stream().map(FlagNames::said).toList();
        all.forEach(to);
        return all;
    }

    /** As one would type it: lists with commas, no quotes, nothing in capitals. */
    static String value(JsonNode node) {
        if (node.isMissingNode()) return "nothing";
        if (node.isArray()) {
            List<String> all = new ArrayList<>();
            node.forEach(n -> all.add(value(n)));
            return String.join(",", all);
        }
        if (node.isDouble() && Math.abs(node.asDouble()) < 1e9) {
            // What is computed, such as a cycle, without what rounding left.
            return BigDecimal.valueOf(node.asDouble())
                    .round(new MathContext(12))
                    .stripTrailingZeros()
                    .toPlainString();
        }
        String text = Printable.of(node.asText());
        return text.matches("[A-Z][A-Z0-9_]*") ? text.toLowerCase(Locale.ROOT).replace('_', '-') : text;
    }
}
