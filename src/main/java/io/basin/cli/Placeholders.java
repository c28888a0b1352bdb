package io.basin.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/** Help whose placeholders say what an option takes, where picocli would print the names of Java's fields. */
final class Placeholders extends Help {
    Placeholders(CommandSpec spec, ColorScheme scheme) {
        super(spec, scheme);
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
        return required.strip() + "...";
    }

    private static String kind(ArgSpec arg) {
        Class<?> type = arg.auxiliaryTypes()[arg.auxiliaryTypes().length - 1];
        if (type == Path.class) return "PATH";
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class) return "N";
        return type == double.class || type == Double.class ? "X" : "NAME";
    }
}
