package io.basin.cli;

import io.basin.report.Evidence;

/** A command has printed and written everything, and a self-check of it did not hold. */
final class SelfCheckException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private SelfCheckException(long failed) {
        super((failed == 1 ? "a self-check failed" : failed + " self-checks failed")
                + ": do not rely on these results, and report the command line and what it printed");
    }

    static void throwIfAnyFailed(Evidence evidence) {
        throwIfAny(evidence.checks().stream()
                .filter(c -> c.verdict().equals(Evidence.Check.FAILED))
                .count());
    }

    static void throwIfAny(long failed) {
        if (failed > 0) throw new SelfCheckException(failed);
    }
}
