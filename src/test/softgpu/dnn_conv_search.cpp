// cuDNN: which convolution algorithms apply, in which order a search returns them, and their workspaces.
//
// The search times nothing: its order and its workspaces are plausible, and its times are zero, since no time here is a
// GPU's. The Ex variants overwrite their output and their workspace, as on hardware. All results carry their math type,
// but the JNI library copies it for backward-filter results only: Java never sees the others.
#include "dnn_conv.h"

namespace softgpu::dnn {
namespace {

enum { GEMM = 0, PRECOMPUTED = 1, WINOGRAD = 6 };    // forward
enum { DATA_0 = 0, DATA_1 = 1, DATA_WINOGRAD = 4 };  // backward data
enum { FILTER_0 = 0, FILTER_1 = 1, FILTER_3 = 3 };   // backward filter

bool winograd(const Problem& p) {
    const int* kernel = p.w.dims + 2;
    bool unit = p.conv.stride[0] == 1 && p.conv.stride[1] == 1 && p.conv.dilation[0] == 1 && p.conv.dilation[1] == 1;
    return kernel[0] == 3 && kernel[1] == 3 && unit && p.conv.groups == 1 && p.w.format == NCHW;
}

}  // namespace

std::vector<Algorithm> algorithms(Direction direction, const Problem& problem) {
    std::vector<Algorithm> offered;
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
            offered.push_back({FILTER_1, true});
            offered.push_back({FILTER_0, false});
            if (problem.w.format == NCHW) offered.push_back({FILTER_3, false});
            break;
    }
    return offered;
}

std::size_t workspaceOf(Direction direction, const Problem& problem, int algorithm) {
    bool found = false;
    for (const Algorithm& offered : algorithms(direction, problem)) found |= offered.number == algorithm;
    require(found, NOT_SUPPORTED, "this algorithm does not apply to this convolution");
    ConvShape shape = problem.shape();
    std::size_t weights = 4 * shape.wCount(), rows = 4 * std::size_t(shape.n) * (shape.p + shape.q);
    std::size_t converted = problem.conv.math == FMA_MATH ? 0 : weights / 2;
    return (weights * (algorithm + 1) + rows + converted + direction * 1024 + 1002) | 1;
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

void report(Direction direction, const Problem& problem, int asked, int* returned, Perf* results) {
    require(returned != nullptr && results != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
    require(asked >= 1, BAD_PARAM, "no result asked for");
    int n = 0;
    for (const Algorithm& offered : algorithms(direction, problem)) {
        if (n == asked) break;
        Perf& perf = results[n++];
        perf.algorithm = offered.number;
        perf.status = SUCCESS;
        perf.time = 0;
        perf.memory = workspaceOf(direction, problem, offered.number);
        perf.determinism = offered.deterministic ? 1 : 0;
        perf.mathType = problem.conv.math;
    }
    *returned = n;
}

void requireSearch(const Handle& handle) {
    require(!capturing(handle.stream), EXECUTION_FAILED, "a search runs and waits, which capturing forbids");
}

void find(const Handle& handle, Direction direction, const Problem& problem, int asked, int* returned, Perf* results) {
    requireSearch(handle);
    report(direction, problem, asked, returned, results);
}

struct Span {
    const void* at;
    std::size_t count;
};

void findEx(const Handle& handle, Direction direction, const Problem& problem, Span in, Span in2, Span out, int asked,
            int* returned, Perf* results, void* workspace, std::size_t bytes) {
    requireSearch(handle);
    for (const Span& span : {in, in2, out}) {
        requireData(span.at);
        require(valid(reinterpret_cast<Address>(span.at), span.count * sizeof(float)), BAD_PARAM,
                "not so much device memory there");
    }
    require(bytes == 0 || valid(reinterpret_cast<Address>(workspace), bytes), BAD_PARAM, "the workspace is not there");
    std::vector<Perf> all(8);
    int n = 0, kept = 0;
    report(direction, problem, int(all.size()), &n, all.data());
    require(returned != nullptr && results != nullptr, BAD_PARAM_NULL_POINTER, "the result's address is null");
    require(asked >= 1, BAD_PARAM, "no result asked for");
    for (int i = 0; i < n && kept < asked; i++)
        if (all[i].memory <= bytes) {
            results[kept] = all[i];
            kept++;
        }
    *returned = kept;
    void* output = const_cast<void*>(out.at);
    run(handle, "cuDNN's search for an algorithm" + problem.text(), [=](Accessor& memory) {
        scribble(memory, output, out.count * sizeof(float));
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
        return softgpu::dnn::call(__func__, [&] { handles().get(h), give(count, 3); });                                \
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
            report(DIRECTION, forward(x, w, conv, y), asked, returned, results);                                       \
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
            findEx(handles().get(h), DIRECTION, problem, {a, problem.SPAN_A.span()}, {b, problem.SPAN_B.span()},       \
                   {c, problem.SPAN_C.span()}, asked, returned, results, workspace, bytes);                            \
        });                                                                                                            \
    }

extern "C" {
CONVOLUTION(ConvolutionForward, FORWARD, Tensor, x, Filter, w, Tensor, y, x, w.tensor(), y)
CONVOLUTION(ConvolutionBackwardData, BACKWARD_DATA, Filter, w, Tensor, y, Tensor, x, w.tensor(), y, x)
CONVOLUTION(ConvolutionBackwardFilter, BACKWARD_FILTER, Tensor, x, Tensor, y, Filter, w, x, y, w.tensor())
}
