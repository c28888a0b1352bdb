package io.basin.spark;

import io.basin.Api;
import io.basin.rounds.Workshop;
import java.io.Serializable;

/** Makes a job's workshop on an executor, from what can travel there: names and paths rather than data. Equal ones make the same. */
@Api
public interface WorkshopSource extends Serializable {
    Workshop make();
}
