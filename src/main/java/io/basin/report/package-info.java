/**
 * Results of runs: statistics, tables and pictures.
 *
 * <p>The effects of weight averaging are small, 0.3 to 2 points, so a difference is printed with its interval or not as a
 * difference at all. Figures that the data cannot give are absent, not zero: one seed has a mean and no spread, its interval
 * prints as {@code n/a}.
 *
 * <p>{@code Charts}, {@code Lines} and {@code Picture} draw with {@code org.jfree:jfreechart} and {@code
 * de.erichseifert.vectorgraphics2d:VectorGraphics2D}, which Basin's POM marks as optional: a program that draws names them as
 * dependencies of its own. Statistics, tables and text need neither.
 */
package io.basin.report;
