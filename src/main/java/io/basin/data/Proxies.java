package io.basin.data;

import io.basin.Nullable;
import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * The proxies of the environment, as curl and wget take them: {@code http_proxy}, {@code https_proxy} and else {@code all_proxy},
 * but not for the hosts in {@code no_proxy}; in lower or upper case. Where none is set, Java's own settings hold.
 */
final class Proxies extends ProxySelector {
    private final UnaryOperator<String> environment;

    /** @param environment the value of an environment variable, or null */
    Proxies(UnaryOperator<String> environment) {
        this.environment = environment;
    }

    /** @throws DataException if the variable holds no address of an HTTP proxy */
    @Override
    public List<Proxy> select(URI uri) {
        URI proxy = proxy(uri);
        if (proxy != null) {
            int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
            return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port)));
        }
        return variable(uri) == null ? ProxySelector.getDefault().select(uri) : List.of(Proxy.NO_PROXY);
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException e) {
        // The request fails with the same exception.
    }

    /** For messages: through what the address is asked, or nothing. */
    String describe(URI uri) {
        URI proxy = proxy(uri);
        return proxy == null
                ? ""
                : " (through the proxy " + proxy.getHost() + (proxy.getPort() < 0 ? "" : ":" + proxy.getPort()) + " of "
                        + variable(uri) + ")";
    }

    /** Name and password that the proxy's address holds; null if it holds none. */
    @Nullable
    Authenticator login(URI uri) {
        URI proxy = proxy(uri);
        if (proxy == null || proxy.getUserInfo() == null) return null;
        String[] parts = proxy.getUserInfo().split(":", 2);
        PasswordAuthentication login =
                new PasswordAuthentication(parts[0], (parts.length > 1 ? parts[1] : "").toCharArray());
        return new Authenticator() {
            @Override
            protected @Nullable PasswordAuthentication getPasswordAuthentication() {
                return getRequestorType() == RequestorType.PROXY ? login : null;
            }
        };
    }

    /** The proxy for an address; null for none. */
    private @Nullable URI proxy(URI uri) {
        String variable = variable(uri);
        if (variable == null || spared(uri)) return null;
        String value = environment.apply(variable).strip();
        try {
            URI proxy = URI.create(value.contains("://") ? value : "http://" + value);
            if ("http".equals(proxy.getScheme()) && proxy.getHost() != null) return proxy;
        } catch (IllegalArgumentException e) {
            throw malformed(variable);
        }
        throw malformed(variable);
    }

    /** Without the value, which may hold a password. */
    private static DataException malformed(String variable) {
        return new DataException("the environment variable " + variable
                + " holds no address of an HTTP proxy: write http://HOST:PORT, or unset it");
    }

    private @Nullable String variable(URI uri) {
        for (String name : List.of(String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT) + "_proxy", "all_proxy")) {
            String set = set(name);
            if (set != null) return set;
        }
        return null;
    }

    /** The name, in lower or upper case, under which the variable holds something. */
    private @Nullable String set(String name) {
        for (String spelling : List.of(name, name.toUpperCase(Locale.ROOT))) {
            String value = environment.apply(spelling);
            if (value != null && !value.isBlank()) return spelling;
        }
        return null;
    }

    private boolean spared(URI uri) {
        String variable = set("no_proxy");
        if (variable == null || uri.getHost() == null) return false;
        String host = uri.getHost().toLowerCase(Locale.ROOT);
        for (String entry : environment.apply(variable).toLowerCase(Locale.ROOT).split("[,\\s]+")) {
            String domain = entry.replaceFirst("^\\*?\\.", "").replaceFirst("(?<=[^:]):" + uri.getPort() + "$", "");
            if (entry.equals("*")) return true;
            if (!domain.isEmpty() && (host.equals(domain) || host.endsWith("." + domain))) return true;
        }
        return false;
    }
}
