package io.basin.device;

/** The operation that feeds a plan: output is the images, beside them the labels. */
public interface BatchOp extends Op {
    /** int32, (N); -1 marks rows past the end of the set. */
    Slot labels();
}
