package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The logical extents of a tensor, outermost first: (N, C, H, W), (N, C) or (N). Immutable. */
@Api
public record Shape(List<Integer> dims) {
    public Shape {
        dims = List.copyOf(Require.given("dims", dims));
        for (int d : dims) {
            if (d < 1) throw new IllegalArgumentException("a shape's extents are positive, got " + dims);
        }
    }

    public static Shape of(int... dims) {
        return new Shape(Arrays.stream(Require.given("dims", dims)).boxed().toList());
    }

    public int rank() {
        return dims.size();
    }

    public int dim(int i) {
        return dims.get(i);
    }

    public long elements() {
        long product = 1;
        for (int d : dims) product = Math.multiplyExact(product, (long) d);
        return product;
    }

    /** This shape with a batch extent in front: (C, H, W) becomes (N, C, H, W). */
    public Shape batched(int n) {
        return new Shape(Stream.concat(Stream.of(n), dims.stream()).toList());
    }

    /** This shape without its first extent: (N, C, H, W) becomes (C, H, W). */
    public Shape sample() {
        return new Shape(dims.subList(1, dims.size()));
    }

    public long[] toLongs() {
        return dims.stream().mapToLong(Integer::longValue).toArray();
    }

    @Override
    public String toString() {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(",", "(", ")"));
    }
}
