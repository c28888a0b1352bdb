/**
 * Basin against libtorch, both measured by JMH. Start {@link io.basin.bench.CompareMain}; it tunes the peer's settings once
 * per machine, then runs both sides alternately, each time in a fresh process with the environment that suits it.
 */
package io.basin.bench;
