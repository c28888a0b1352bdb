/**
 * Rounds on Apache Spark 4, which a user's class path must bring: {@code spark-submit} does. One ordinary stage a round, never barrier
 * mode: shares are pure functions, so Spark may run one again, twice or elsewhere, and executors may come and go.
 */
package io.basin.spark;
