package io.basin.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Help in which options stand in sections, each with its main name, a placeholder that says what it takes, where picocli would print
 * the names of Java's fields, and its default.
 */
final class HelpPage extends Help {
    /** Below so many options sections would hide more than they show. */
    private static final int MANY = 14;

    HelpPage(CommandSpec spec, ColorScheme scheme) {
        super(spec, scheme);
    }

    /** Has {@code line} and all its commands print such help. */
    static void register(CommandLine line) {
        line.setHelpFactory(HelpPage::new);
        line.setUsageHelpLongOptionsMaxWidth(26);
        shorten(line);
    }

    private static void shorten(CommandLine line) {
        line.getCommandSpec()
                .usageMessage()
                .abbreviateSynopsis(true)
                .sortOptions(false)
                .commandListHeading("%nCommands:%n");
        line.getSubcommands().values().forEach(HelpPage::shorten);
    }

    @Override
    public String optionList() {
        List<OptionSpec> shown =
                commandSpec().options().stream().filter(o -> !o.hidden()).toList();
        if (shown.size() < MANY) return "\nOptions:\n" + list(shown);
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, List<OptionSpec>> section :
                HelpSections.of(shown).entrySet()) {
            out.append('\n').append(section.getKey()).append(":\n").append(list(section.getValue()));
        }
        return out.toString();
    }

    private String list(List<OptionSpec> options) {
        Layout layout = createDefaultLayout();
        layout.addOptions(options, parameterLabelRenderer());
        return layout.toString();
    }

    /** Examples as they are: broken after a point or a slash they cannot be copied. */
    @Override
    public String footer(Object... params) {
        StringBuilder out = new StringBuilder();
        for (String line : commandSpec().usageMessage().footer()) {
            boolean example = line.startsWith("  ");
            out.append(example ? line + "\n" : createHeading(line + "%n"));
        }
        return out.toString();
    }

    @Override
    public IOptionRenderer createDefaultOptionRenderer() {
        IOptionRenderer usual = super.createDefaultOptionRenderer();
        return (option, labels, scheme) -> usual.render(shown(option), labels, scheme);
    }

    /** Under its main name, with its default where its description does not say one. */
    private static OptionSpec shown(OptionSpec option) {
        String[] description = option.description().clone();
        int last = description.length - 1;
        boolean takes = option.arity().max() > 0 && option.defaultValue() != null;
        if (takes && !String.join(" ", description).contains("default")) {
            description[last] = (description[last] + "; default ${DEFAULT-VALUE}").replaceFirst("^; ", "");
        }
        return OptionSpec.builder(option)
                .names(names(option))
                .description(description)
                .build();
    }

    /** A letter, and the first of the words: others are former names, which go on working. */
    static String[] names(OptionSpec option) {
        List<String> words =
                Arrays.stream(option.names()).filter(n -> n.startsWith("--")).toList();
        return Arrays.stream(option.names())
                .filter(n -> !n.startsWith("--") || n.equals(words.get(0)))
                .toArray(String[]::new);
    }

    @Override
    public IParamLabelRenderer parameterLabelRenderer() {
        return new IParamLabelRenderer() {
            @Override
            public Ansi.Text renderParameterLabel(ArgSpec arg, Ansi ansi, List<Ansi.IStyle> styles) {
                if (arg.arity().max() < 1) return ansi.new Text("");
                return commandSpec()
                        .commandLine()
                        .getColorScheme()
                        .apply((arg.isOption() ? "=" : "") + of(arg), styles);
            }

            @Override
            public String separator() {
                return commandSpec().parser().separator();
            }
        };
    }

    private static String of(ArgSpec arg) {
        String one = arg.paramLabel().startsWith("<") ? kind(arg) : arg.paramLabel();
        if (!arg.splitRegex().isEmpty()) return one + ",...";
        if (arg.arity().max() == 1) return arg.isOption() || arg.arity().min() > 0 ? one : "[" + one + "]";
        String required = (one + " ").repeat(arg.arity().min());
        return required.isEmpty() ? "[" + one + "...]" : required.strip() + "...";
    }

    private static String kind(ArgSpec arg) {
        Class<?> type = arg.auxiliaryTypes()[arg.auxiliaryTypes().length - 1];
        if (type == Path.class) return "PATH";
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class) return "N";
        return type == double.class || type == Double.class ? "X" : "NAME";
    }
}
