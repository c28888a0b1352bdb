package io.basin.report;

import io.basin.Api;

/**
 * Two methods over the same seeds.
 *
 * @param n pairs
 * @param meanDifference mean of first minus second
 * @param interval 95 % t-interval of the mean difference; absent for one pair, or if all differences are equal
 * @param t Student's t; NaN where the interval is absent
 * @param p two-sided p value; NaN where the interval is absent
 */
@Api
public record PairedComparison(int n, double meanDifference, Interval interval, double t, double p) {}
