package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.methods.Schedule;
import io.basin.text.Printable;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Training in rounds, as tables: the work of each worker in each round, and the use of its result. {@link RoundMethods} makes the
 * published ones.
 *
 * @param name of files and tables
 * @param seed of the first weights
 * @param lanes what workers go along
 * @param rounds in their order
 */
@Api
public record RoundPlan(String name, long seed, List<Lane> lanes, List<Round> rounds) {
    /**
     * A schedule and an order of samples. Its steps count updates of one optimizer state, as AdamW's correction of its moments needs.
     *
     * @param seed of the order of samples and of what is drawn while training
     * @param batch samples a step
     * @param lr of each step
     * @param alpha averaging weight of each step, as many; a share that has one above 0 hands over its average
     */
    public record Lane(long seed, int batch, double[] lr, double[] alpha) {
        public Lane {
            Require.atLeast("batch", batch, 1);
            lr = Require.given("lr", lr).clone();
            alpha = Require.given("alpha", alpha).clone();
            if (lr.length != alpha.length) {
                throw new IllegalArgumentException(
                        "`alpha` has " + alpha.length + " steps, and `lr` " + lr.length + ": give both as many");
            }
            for (int s = 0; s < lr.length; s++) Schedule.requireRate("lr", s, lr[s]);
            for (double a : alpha) {
                if (!(a >= 0 && a <= 1)) throw new IllegalArgumentException("`alpha` must lie in [0, 1], got " + a);
            }
        }

        /** A copy. */
        @Override
        public double[] lr() {
            return lr.clone();
        }

        /** A copy. */
        @Override
        public double[] alpha() {
            return alpha.clone();
        }

        int steps() {
            return lr.length;
        }

        boolean averages(Share share) {
            return Arrays.stream(alpha, share.from(), share.to()).anyMatch(a -> a > 0);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Lane that
                    && seed == that.seed
                    && batch == that.batch
                    && Arrays.equals(lr, that.lr)
                    && Arrays.equals(alpha, that.alpha);
        }

        @Override
        public int hashCode() {
            return Objects.hash(seed, batch, Arrays.hashCode(lr), Arrays.hashCode(alpha));
        }

        @Override
        public String toString() {
            return "seed " + seed + ", batch " + batch + ", " + steps() + " steps";
        }
    }

    /**
     * One worker's work in one round: steps [from, to) of a lane. It begins with the round's weights, and with the optimizer state
     * that the lane's share of the round before left, or at the lane's first step with none.
     *
     * @param lane index in the plan
     */
    public record Share(int lane, int from, int to) {
        int steps() {
            return to - from;
        }
    }

    /**
     * How the next round's weights follow from the shares' (Douillard et al. 2023, arXiv 2311.08105): with m their mean, v = momentum v
     * + (m - w), w = w + lr (m - w + momentum v), Nesterov's; lr 1 and momentum 0 give the mean.
     *
     * @param lr 1 for the mean
     * @param momentum in [0, 1)
     */
    public record Outer(double lr, double momentum) {
        static final Outer MEAN = new Outer(1, 0);

        public Outer {
            Require.rate("outer.lr", lr);
            Require.belowOne("outer.momentum", momentum);
        }
    }

    /**
     * One round.
     *
     * @param shares in the order in which they are summed
     * @param outer null where the shares are members, which stay apart: only a last round is so
     */
    public record Round(List<Share> shares, @Nullable Outer outer) {
        public Round {
            shares = List.copyOf(Require.given("shares", shares));
        }
    }

    public RoundPlan {
        if (!Require.given("name", name).matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw new IllegalArgumentException(
                    "`name` of a plan becomes a file's, of letters, digits, '-', '_' and '.', got '"
                            + Printable.of(name) + "'");
        }
        lanes = List.copyOf(Require.given("lanes", lanes));
        rounds = List.copyOf(Require.given("rounds", rounds));
        if (rounds.isEmpty()) throw new IllegalArgumentException(name + ": a plan needs a round");
        for (int r = 0; r < rounds.size(); r++) {
            Round round = rounds.get(r);
            if (round.shares().isEmpty()) throw new IllegalArgumentException(name + ": round " + r + " has no share");
            if (round.outer() == null && r < rounds.size() - 1) {
                throw new IllegalArgumentException(name + ": round " + r + " keeps members, and only the last may");
            }
            for (Share s : round.shares()) {
                boolean fits = s.lane >= 0
                        && s.lane < lanes.size()
                        && s.from >= 0
                        && s.from < s.to
                        && s.to <= lanes.get(s.lane).steps();
                if (!fits || s.from > 0 && before(rounds, r, s) < 0) {
                    throw new IllegalArgumentException(name + ": round " + r + " has steps " + s.from + " to " + s.to
                            + " of lane " + s.lane + ", which do not go on from anything: begin each lane at step 0");
                }
            }
        }
    }

    private static int before(List<Round> rounds, int round, Share share) {
        List<Share> shares = round == 0 ? List.of() : rounds.get(round - 1).shares();
        return IntStream.range(0, shares.size())
                .filter(i -> shares.get(i).lane == share.lane && shares.get(i).to == share.from)
                .findFirst()
                .orElse(-1);
    }

    /** The share of the round before whose optimizer state this one takes up; -1 at the beginning of its lane. */
    int before(int round, int share) {
        Share s = rounds.get(round).shares().get(share);
        return s.from == 0 ? -1 : before(rounds, round, s);
    }

    /** Workers that the plan's largest round keeps busy. */
    public int workers() {
        return rounds.stream().mapToInt(r -> r.shares().size()).max().orElse(1);
    }

    /** Training samples that rounds [0, end) draw, all shares together. */
    public long samples(int end) {
        return rounds.subList(0, end).stream()
                .flatMap(r -> r.shares().stream())
                .mapToLong(s -> (long) s.steps() * lanes.get(s.lane).batch())
                .sum();
    }

    /** Local steps that follow on one another from the first weights to the last, when each worker has a device. */
    public long depth() {
        return rounds.stream()
                .mapToLong(r -> r.shares().stream().mapToInt(Share::steps).max().orElse(0))
                .sum();
    }

    /**
     * Arrays of the weights' size that go to workers and come back: weights both ways, and the moments of a lane that goes on, since
     * another worker may take it up.
     *
     * @param moments of the optimizer: 1 of SGD, 2 of AdamW
     */
    public long exchanges(int moments) {
        long sum = 0;
        for (int r = 0; r < rounds.size(); r++) {
            List<Share> shares = rounds.get(r).shares();
            for (int w = 0; w < shares.size(); w++) {
                sum += 2 + (before(r, w) < 0 ? 0 : moments) + (goesOn(shares.get(w)) ? moments : 0);
            }
        }
        return sum;
    }

    /** Whether the lane's optimizer state is needed after this share. */
    boolean goesOn(Share share) {
        return share.to < lanes.get(share.lane).steps();
    }

    /** The rounds of {@code workers} that each go along a lane of their own to its end, {@code each} steps a round. */
    static List<Round> together(int workers, int firstLane, int steps, int each, Outer outer) {
        List<Round> rounds = new ArrayList<>();
        for (int at = 0; at < steps; at += each) {
            int begin = at;
            int end = Math.min(steps, at + each);
            rounds.add(new Round(
                    IntStream.range(0, workers)
                            .mapToObj(w -> new Share(firstLane + w, begin, end))
                            .toList(),
                    outer));
        }
        return rounds;
    }
}
