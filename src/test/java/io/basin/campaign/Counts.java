package io.basin.campaign;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Cases that were tried, and what failed; threads may count at once. */
final class Counts {
    private final List<String> notes = new ArrayList<>();
    private int tried;
    private int failed;

    /** Tries one case; {@code attempt} gives what does not hold, nothing if all does. */
    void attempt(String label, Callable<String> attempt) {
        String broken;
        try {
            broken = attempt.call();
        } catch (Exception | AssertionError e) {
            broken = e.toString();
        }
        count(label, broken);
    }

    private synchronized void count(String label, String broken) {
        tried++;
        if (broken.isEmpty()) return;
        failed++;
        note(label + ": " + broken);
    }

    /** Adds cases that were tried elsewhere, and held. */
    synchronized void held(int cases) {
        tried += cases;
    }

    /** Something that a reader of the result should know. */
    synchronized void note(String text) {
        notes.add(text.strip().replaceAll("\\s+", " "));
    }

    synchronized int tried() {
        return tried;
    }

    synchronized int failed() {
        return failed;
    }

    synchronized List<String> notes() {
        return List.copyOf(notes);
    }
}
