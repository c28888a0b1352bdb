package io.basin.text;

import io.basin.Nullable;
import java.util.Locale;

/** {@link String#format} with points in numbers, whatever the user's language. */
public final class Format {
    private Format() {}

    public static String of(String pattern, @Nullable Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
