/**
 * The CUDA device: JCuda's driver API, JCublas2, JCudnn and NVRTC, and nothing of the sort outside this package.
 *
 * <p>Planning chooses algorithms, builds descriptors and writes every kernel's arguments into one direct buffer each; binding
 * fills in addresses; a step is then a list of enqueued calls, captured once into a graph and replayed with one call. Every
 * number that changes from step to step lies in device memory, since arguments by value are frozen in a graph.
 *
 * <p>Layouts are few, as there is only one per kind of tensor: images lie as (N, H, W, C), filters as (K, R, S, C), rows and
 * vectors as they are. So no operation ever reorders, but strict convolutions where cuDNN is faster with channels first, the copies'
 * time included; and files and tests, which speak PyTorch's order, are served by {@link io.basin.cuda.CudaLayout} on the host.
 *
 * <p>Of cuDNN only convolutions, batch norms and pools are used. Activations and biases are our own kernels, in {@code
 * kernels/pointwise.cu}: cuDNN's calls for them would each be a pass over memory, while ours adds bias and residual and
 * applies ReLU in one.
 *
 * <p>Nothing here trusts the machine: libraries and symbols are probed before the first call, because JCuda ends the whole JVM
 * where a symbol is missing; every call's status is checked by {@link io.basin.cuda.Check}; half-built objects are undone by
 * {@link io.basin.cuda.Closer}.
 */
package io.basin.cuda;
