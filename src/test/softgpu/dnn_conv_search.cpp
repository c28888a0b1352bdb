// cuDNN: which convolution algorithms apply, in which order a search returns them, and their workspaces.
//
// The search times nothing: its order and its workspaces are plausible, and its times are zero, since no time here is a
// GPU's. The Ex variants overwrite their output and their workspace, as on hardware. All results carry their math type,
// but the JNI library copies it for backward-filter results only: Java never sees the others.
//
// BASIN_SOFTGPU_CUDNN takes away what a real cuDNN may lack: words between commas, each refuse-LAYOUT-MATH-DIRECTION (no
// algorithm at all), random-LAYOUT-MATH-DIRECTION (none that is deterministic) or slow-LAYOUT-MATH-DIRECTION (events see
// each take five seconds longer), of nhwc and nchw, fma and tensor, forward, data and filter; and tensor-op, where a search calls default arithmetic that rounds to TF32 by the older name.
#include <algorithm>

#include "dnn_conv.h"

namespace softgpu::dnn {
namespace {

enum { GEMM = 0, PRECOMPUTED = 1, DIRECT = 3, WINOGRAD = 6 };  // forward
enum { DATA_0 = 0, DATA_1 = 1, FFT = 2, DATA_WINOGRAD = 4 };   // backward data, FFT in both
enum { FILTER_0 = 0, FILTER_1 = 1, FILTER_3 = 3 };             // backward filter

bool winograd(const Problem& p) {
    const int* kernel = p.w.dims + 2;
    bool unit = p.conv.stride[0] == 1 && p.conv.stride[1] == 1 && p.conv.dilation[0] == 1 && p.conv.dilation[1] == 1;
    return kernel[0] == 3 && kernel[1] == 3 && unit && p.conv.groups == 1 && p.w.format == NCHW;
}

bool asked(const std::string& word) {
    const char* words = std::getenv("BASIN_SOFTGPU_CUDNN");
    return words != nullptr && ("," + std::string(words) + ",").find("," + word + ",") != std::string::npos;
}

bool asked(const char* verdict, Direction direction, const Problem& problem) {
    const char* directions[] = {"-forward", "-data", "-filter"};
    return asked(std::string(verdict) + (problem.w.format == NHWC ? "-nhwc" : "-nchw") +
                 (problem.conv.math == FMA_MATH ? "-fma" : "-tensor") + directions[direction]);
}

int reportedMath(const Problem& problem) {
    return problem.shape().tf32 && asked("tensor-op") ? int(TENSOR_OP_MATH) : problem.conv.math;
}

}  // namespace

std::vector<Algorithm> algorithms(Direction direction, const Problem& problem) {
    std::vector<Algorithm> offered;
    if (asked("refuse", direction, problem)) return offered;
    bool fast = winograd(problem);
    switch (direction) {
        case FORWARD:
            if (fast) offered.push_back({WINOGRAD, true});
            offered.push_back({PRECOMPUTED, true});
            offered.push_back({GEMM, true});
            break;
        case BACKWARD_DATA:
            if (fast) offered.push_back({DATA_WINOGRAD, true});
            offered.push_back({DATA_1, true});
            offered.push_back({DATA_0, false});
            break;
        case BACKWARD_FILTER:
            offered.push_back({FILTER_0, false});
            offered.push_back({FILTER_1, true});
            if (problem.w.format == NCHW) offered.push_back({FILTER_3, false});
            break;
    }
    if (asked("random", direction, problem))
        offered.erase(std::remove_if(offered.begin(), offered.end(), [](const Algorithm& a) { return a.deterministic; }),
                      offered.end());
    return offered;
}

double extraTime(Direction direction, const Problem& problem) { return asked("slow", direction, problem) ? 5000 : 0; }

std::size_t workspaceOf(Direction direction, const Problem& problem, int algorithm) {
    bool found = false;
    for (const Algorithm& offered : algorithms(direction, problem)) found |= offered.number == algorithm;
    require(found, NOT_SUPPORTED, "this algorithm does not apply to this convolution");
    ConvShape shape = problem.shape();
    std::size_t weights = 4 * shape.wCount(), rows = 4 * std::size_t(shape.n) * (shape.p + shape.q);
    std::size_t converted = problem.conv.math == FMA_MATH ? 0 : weights / 2;
    return (weights / 4 * (algorithm + 1) + rows + converted + direction * 1024 + 1002) | 1;
}

std::size_t requireWorkspace(Direction direction, const Problem& problem, int algorithm, void* at, std::size_t bytes) {
    std::size_t needed = workspaceOf(direction, problem, algorithm);
    require(at != nullptr && bytes >= needed, BAD_PARAM, "the workspace is smaller than the algorithm asked for");
    return needed;
}

namespace {

struct Perf {  // cudnnConvolution*AlgoPerf_t: the same layout in all directions
    int algorithm;
    int status;
    float time;
    std::size_t memory;
    int determinism;
    int mathType;
    int reserved[3];
};

Perf failed(int algorithm, int status, const Problem& problem) {
    return {algorithm, status, -1, 0, 0, reportedMath(problem), {}};
}

// What fits into so many bytes, then what does not, then one that the device cannot run: a caller looks at the status.
// Where FMA is asked for, tensor cores come first, with an algorithm that FMA does not have: a caller looks at the math
// type, or asks for the workspace of what it chose.
std::vector<Perf> candidates(Direction direction, const Problem& problem, std::size_t bytes) {
    std::vector<Perf> able, unable;
    int other = direction == FORWARD ? int(DIRECT) : int(FFT);
    if (problem.conv.math == FMA_MATH) {
        able.push_back({other, SUCCESS, 0, 0, 1, TENSOR_OP_MATH, {}});
        for (const Algorithm& offered : algorithms(direction, problem))
            able.push_back({offered.number, SUCCESS, 0, 0, offered.deterministic ? 1 : 0, TENSOR_OP_MATH, {}});
    }
    for (const Algorithm& offered : algorithms(direction, problem)) {
        std::size_t needed = workspaceOf(direction, problem, offered.number);
        int determinism = offered.deterministic ? 1 : 0;
        if (needed <= bytes) {
            able.push_back({offered.number, SUCCESS, 0, needed, determinism, reportedMath(problem), {}});
        } else {
            unable.push_back(failed(offered.number, INTERNAL_ERROR_HOST_ALLOCATION_FAILED, problem));
        }
    }
    able.insert(able.end(), unable.begin(), unable.end());
    able.push_back(failed(other, NOT_SUPPORTED, problem));
    return able;
}

void report(const std::vector<Perf>& candidates, int asked, int* returned, Perf* results) {
    require(returned != nullptr && results != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
    require(asked >= 1, BAD_PARAM, "no result asked for");
    *returned = int(std::min(candidates.size(), std::size_t(asked)));
    std::copy(candidates.begin(), candidates.begin() + *returned, results);
}

constexpr std::size_t UNLIMITED = ~std::size_t(0);

void requireSearch(const Handle& handle) {
    require(!capturing(handle.stream), EXECUTION_FAILED, "a search runs and waits, which capturing forbids");
}

void find(const Handle& handle, Direction direction, const Problem& problem, int asked, int* returned, Perf* results) {
    requireSearch(handle);
    report(candidates(direction, problem, UNLIMITED), asked, returned, results);
}

struct Span {
    const void* at;
    std::size_t bytes;

    Span(const void* at, const Tensor& t) : at(at), bytes(t.span() * bytesOf(t.type)) {}
};

void findEx(const Handle& handle, Direction direction, const Problem& problem, Span in, Span in2, Span out, int asked,
            int* returned, Perf* results, void* workspace, std::size_t bytes) {
    requireSearch(handle);
    for (const Span& span : {in, in2, out}) {
        requireData(span.at);
        require(valid(reinterpret_cast<Address>(span.at), span.bytes), BAD_PARAM,
                "not so much device memory there");
    }
    require(bytes == 0 || valid(reinterpret_cast<Address>(workspace), bytes), BAD_PARAM, "the workspace is not there");
    report(candidates(direction, problem, bytes), asked, returned, results);
    void* output = const_cast<void*>(out.at);
    run(handle, "cuDNN's search for an algorithm" + problem.text(), [=](Accessor& memory) {
        scribble(memory, output, out.bytes);
        scribble(memory, workspace, bytes);
    });
}

Problem forward(Tensor* x, Filter* w, Convolution* conv, Tensor* y) {
    return {tensors().get(x), filters().get(w), convolutions().get(conv), tensors().get(y)};
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::require;

// A direction's six calls differ in names and in the order of their three operands.
#define CONVOLUTION(NAME, DIRECTION, TYPE_A, A, TYPE_B, B, TYPE_C, C, SPAN_A, SPAN_B, SPAN_C)                          \
    int cudnnGet##NAME##AlgorithmMaxCount(Handle* h, int* count) {                                                     \
        return softgpu::dnn::call(__func__, [&] { handles().get(h), give(count, 5); });                                \
    }                                                                                                                  \
    int cudnnGet##NAME##WorkspaceSize(Handle* h, TYPE_A* A, TYPE_B* B, Convolution* conv, TYPE_C* C, int algorithm,    \
                                      std::size_t* bytes) {                                                            \
        return softgpu::dnn::call(__func__, [&] {                                                                      \
            handles().get(h);                                                                                          \
            give(bytes, workspaceOf(DIRECTION, forward(x, w, conv, y), algorithm));                                    \
        });                                                                                                            \
    }                                                                                                                  \
    int cudnnGet##NAME##Algorithm_v7(Handle* h, TYPE_A* A, TYPE_B* B, Convolution* conv, TYPE_C* C, int asked,         \
                                     int* returned, Perf* results) {                                                   \
        return softgpu::dnn::call(__func__, [&] {                                                                      \
            handles().get(h);                                                                                          \
            report(candidates(DIRECTION, forward(x, w, conv, y), UNLIMITED), asked, returned, results);                \
        });                                                                                                            \
    }                                                                                                                  \
    int cudnnFind##NAME##Algorithm(Handle* h, TYPE_A* A, TYPE_B* B, Convolution* conv, TYPE_C* C, int asked,           \
                                   int* returned, Perf* results) {                                                     \
        return softgpu::dnn::call(                                                                                     \
            __func__, [&] { find(handles().get(h), DIRECTION, forward(x, w, conv, y), asked, returned, results); });   \
    }                                                                                                                  \
    int cudnnFind##NAME##AlgorithmEx(Handle* h, TYPE_A* A, const void* a, TYPE_B* B, const void* b, Convolution* conv, \
                                     TYPE_C* C, void* c, int asked, int* returned, Perf* results, void* workspace,     \
                                     std::size_t bytes) {                                                              \
        return softgpu::dnn::call(__func__, [&] {                                                                      \
            Problem problem = forward(x, w, conv, y);                                                                  \
            findEx(handles().get(h), DIRECTION, problem, {a, problem.SPAN_A}, {b, problem.SPAN_B},                     \
                   {c, problem.SPAN_C}, asked, returned, results, workspace, bytes);                                   \
        });                                                                                                            \
    }

extern "C" {
CONVOLUTION(ConvolutionForward, FORWARD, Tensor, x, Filter, w, Tensor, y, x, w.tensor(), y)
CONVOLUTION(ConvolutionBackwardData, BACKWARD_DATA, Filter, w, Tensor, y, Tensor, x, w.tensor(), y, x)
CONVOLUTION(ConvolutionBackwardFilter, BACKWARD_FILTER, Tensor, x, Tensor, y, Filter, w, x, y, w.tensor())
}
