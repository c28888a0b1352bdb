package io.basin.nn;

import io.basin.Api;
import io.basin.device.Shape;

/** The result of one node of a {@link Graph}: its index, and its shape without the batch, (C, H, W) or (C). */
@Api
public record Value(int id, Shape shape) {}
