package io.basin.cuda;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a kernel takes, as its source declares it.
 *
 * <p>The driver reads as many addresses of arguments as the kernel has parameters: of a list that is too short it reads what lies
 * behind, and the process dies of it on one day and not on the next.
 *
 * @param parameters their declarations
 */
record Signature(String kernel, List<String> parameters) {
    private static final Pattern COMMENT = Pattern.compile("//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);

    static Signature of(String source, String kernel) {
        Matcher declared = Pattern.compile("__global__[^{;]*?\\b" + kernel + "\\s*\\(([^)]*)\\)")
                .matcher(COMMENT.matcher(source).replaceAll(""));
        if (!declared.find()) throw new IllegalArgumentException("this source declares no kernel " + kernel);
        return new Signature(kernel, List.of(declared.group(1).strip().split("\\s*,\\s*")));
    }

    /** @throws IllegalArgumentException where these are too few, too many, or of another width than the kernel's */
    void check(Object... arguments) {
        if (arguments.length != parameters.size())
            throw new IllegalArgumentException(
                    kernel + " takes " + parameters.size() + " arguments, not " + arguments.length);
        for (int i = 0; i < arguments.length; i++) {
            if (!fits(parameters.get(i), arguments[i]))
                throw new IllegalArgumentException(
                        kernel + "'s argument " + (i + 1) + ", " + parameters.get(i) + ", is no " + arguments[i]);
        }
    }

    private static boolean fits(String parameter, Object argument) {
        if (parameter.contains("*")) return argument == null || argument instanceof DevicePointer;
        String type = parameter.replaceFirst("^const ", "").replaceFirst("\\s+\\w+$", "");
        return switch (type) {
            case "int", "u32" -> argument instanceof Integer;
            case "u64" -> argument instanceof Long;
            case "float" -> argument instanceof Float;
            case "double" -> argument instanceof Double;
            default -> false;
        };
    }
}
