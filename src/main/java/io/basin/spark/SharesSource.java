package io.basin.spark;

import io.basin.Api;
import io.basin.rounds.Shares;
import java.io.Serializable;

/** Makes a job's shares on an executor, from what can travel there: names and paths rather than data. Equal ones make the same. */
@Api
public interface SharesSource extends Serializable {
    /** Called once an executor; its {@link Shares#open} is called by tasks, each of which may have a {@link TaskDevice}. */
    Shares make();
}
