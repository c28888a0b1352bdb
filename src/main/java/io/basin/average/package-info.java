/**
 * Averages for other libraries' training loops: of their arrays, on the host or a GPU, and the batch-norm statistics that the
 * averaged net needs.
 *
 * <p>{@link io.basin.average.AveragerBuilder} takes the arrays and the method, {@link io.basin.average.Averager} moves them. With w
 * the weights, a the average, n the number of collections before, products and sums each rounded to float32:
 *
 * <pre>
 *   method           each step                                                    bytes of a float32 element
 *   average(alpha)   a = a + alpha (w - a); alpha = 1: a = w; alpha = 0: nothing    12, 8 where alpha is 1, 0 where it is 0
 *   swa              alpha = 1 / (n + 1)                                            12
 *   tail             the same from step s on, before it 0                           12
 *   ema              alpha = 1 - d; the first 1; warm-up: d = min(d, (1+k)/(10+k))  12
 *   power(g)         alpha = 1 - (1 - 1/(k+1))^(g+1)                                12
 *   along(table)     alpha = table[step], past its end 0                            12
 *   lawa             slot[n mod k] = w; when asked for, a = mean of k slots         8, and 12 k where the average is asked for
 *   swag             as swa; v = (1 - alpha) v + alpha/(1 - alpha) (w - a)^2;
 *                    deviation[n mod rank] = w - a                                  20, 32 with deviations
 *   pull(rate)       w = w + rate (a - w); rate = 1: w = a; rate = 0: nothing       12
 *   swap             w and a change places                                          16
 * </pre>
 *
 * Of bf16 and f16 each access to w is 2 bytes instead of 4; swap moves 12 forth and 6 back. The mean of squares of the SWAG paper is
 * v + a^2. Memory: 4 bytes an element for a, for v, for each slot and each deviation, and for swap where an array is of 16 bits.
 *
 * <p>The passes are {@link io.basin.device.ForeignArrays}: {@code kernels/step.c} on the host, or plain Java of a
 * {@code float[]} and where the build had no C compiler, and {@code kernels/arrays.cu} on a GPU, with the same bits, which are those of {@code kernels/step.cu} where both average.
 */
package io.basin.average;
