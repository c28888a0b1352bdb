package io.basin.io;

import io.basin.Nullable;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;

/**
 * The holder of a folder's lock.
 *
 * @param started when the process started, in milliseconds since 1970: a number of a process is given anew after its end
 * @param since when it took the folder, in milliseconds since 1970
 */
public record LockOwner(long pid, String host, long started, long since) {
    /** Processes compute their starts from the machine's, which the clock's corrections move. */
    private static final long TOLERANCE_MS = 2000;

    static final String HOST = hostName();

    public static LockOwner current() {
        ProcessHandle me = ProcessHandle.current();
        return new LockOwner(me.pid(), HOST, started(me), System.currentTimeMillis());
    }

    private static String hostName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException noLinux) {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (IOException unnamed) {
                return "localhost";
            }
        }
    }

    private static long started(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    public boolean here() {
        return host.equals(HOST);
    }

    /** Whether the process of this host that wrote this still runs. */
    public boolean lives() {
        return ProcessHandle.of(pid)
                .filter(p -> lives(pid) && Math.abs(started(p) - started) <= TOLERANCE_MS)
                .isPresent();
    }

    /** Whether this host has such a process; one that has ended and was not waited for does not count. */
    static boolean lives(long pid) {
        if (ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty()) return false;
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return !stat.substring(stat.lastIndexOf(')') + 1).startsWith(" Z");
        } catch (IOException unknown) {
            return true;
        }
    }

    String text() {
        return Json.line(this) + "\n";
    }

    /** Null where {@code text} is not an owner's, such as half of one. */
    static @Nullable LockOwner parse(String text) {
        try {
            LockOwner owner = Json.as(Json.parse(text, "lock"), LockOwner.class);
            return owner == null || owner.host() == null ? null : owner;
        } catch (FormatException | IllegalArgumentException half) {
            return null;
        }
    }

    @Override
    public String toString() {
        return "process " + pid + " on " + host + " since "
                + Instant.ofEpochMilli(since)
                        .truncatedTo(ChronoUnit.SECONDS)
                        .atZone(ZoneId.systemDefault())
                        .format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
    }
}
