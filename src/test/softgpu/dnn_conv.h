// cuDNN: a convolution problem, its algorithms and the workspaces that they want.
#pragma once
#include "conv.h"
#include "dnn.h"

namespace softgpu::dnn {

enum Direction { FORWARD, BACKWARD_DATA, BACKWARD_FILTER };

struct Convolution {
    int rank = 0;  // of space; 0 until set
    int pad[DIM_MAX] = {}, stride[DIM_MAX] = {}, dilation[DIM_MAX] = {};
    int mode = 0, type = FLOAT, math = DEFAULT_MATH, groups = 1, reorder = 0;  // mode 0: the filter is turned round
};

Live<Convolution>& convolutions();

// Output sizes; refuses filters that do not fit.
Tensor outputOf(const Convolution& conv, const Tensor& x, const Filter& w);

struct Problem {
    Tensor x, y;
    Filter w;
    Convolution conv;

    Problem(const Tensor& x, const Filter& w, const Convolution& conv, const Tensor& y);
    ConvShape shape() const;
    std::string text() const;
};

struct Algorithm {
    int number;
    bool deterministic;
};

// What this device offers, in the order of the search's result. Empty entries do not occur: algorithms which do not
// apply are left out.
std::vector<Algorithm> algorithms(Direction direction, const Problem& problem);

// Milliseconds that events see it take longer than it does.
double extraTime(Direction direction, const Problem& problem);

// Odd and never zero. It depends on the math type, as in cuDNN: ask after setting it.
std::size_t workspaceOf(Direction direction, const Problem& problem, int algorithm);

// Refuses an algorithm that is not offered and a workspace that is smaller than asked for.
std::size_t requireWorkspace(Direction direction, const Problem& problem, int algorithm, void* at, std::size_t bytes);

}  // namespace softgpu::dnn
