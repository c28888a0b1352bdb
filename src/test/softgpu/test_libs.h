// Tests of libcublas and libcudnn, through the C ABI that the JNI libraries use: handles are plain pointers here, and
// nothing of the implementation is included. Oracles are naive loops in double.
#pragma once
#include <cuda.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace test {

using Floats = std::vector<float>;
using Any = void*;

struct Case {
    const char* name;
    void (*body)();
};
std::vector<Case>& cases();
void fail(const std::string& text);

struct Registered {
    Registered(const char* name, void (*body)()) { cases().push_back({name, body}); }
};
#define CASE_AT(LINE, NAME) CASE_LINE(LINE, NAME)
#define CASE_LINE(LINE, NAME)                                     \
    static void body##LINE();                                     \
    static ::test::Registered registered##LINE(NAME, body##LINE); \
    static void body##LINE()
#define CASE(NAME) CASE_AT(__LINE__, NAME)

inline void equals(long actual, long expected, const std::string& what) {
    if (actual != expected) fail(what + ": " + std::to_string(actual) + ", expected " + std::to_string(expected));
}
inline void ok(int status, const std::string& what) { equals(status, 0, what); }
inline void isTrue(bool holds, const std::string& what) {
    if (!holds) fail(what);
}

// Every value within tolerance of the expected one, relative to max(1, |expected|); NaN only where NaN is expected.
inline void close(const Floats& actual, const std::vector<double>& expected, double tolerance,
                  const std::string& what) {
    equals(long(actual.size()), long(expected.size()), what + ": size");
    for (std::size_t i = 0; i < actual.size() && i < expected.size(); i++) {
        bool same = std::isnan(expected[i])
                        ? std::isnan(actual[i])
                        : std::fabs(actual[i] - expected[i]) <= tolerance * std::max(1.0, std::fabs(expected[i]));
        if (same) continue;
        fail(what + " [" + std::to_string(i) + "]: " + std::to_string(actual[i]) + ", expected " +
             std::to_string(expected[i]));
        return;
    }
}

inline Floats random(std::size_t n, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    Floats values(n);
    for (float& v : values) v = normal(generator);
    return values;
}

// And waits: till then a copy from pageable memory may not have arrived.
inline void upload(float* to, const float* from, std::size_t n) {
    ok(cuMemcpyHtoD(CUdeviceptr(to), from, n * 4), "cuMemcpyHtoD");
    ok(cuStreamSynchronize(nullptr), "cuStreamSynchronize");
}

// Between an event before the work, on the default stream, and one after it.
template <class Work>
float milliseconds(Work work) {
    CUevent ends[2];
    float time = -1;
    for (CUevent& end : ends) ok(cuEventCreate(&end, 0), "event");
    ok(cuEventRecord(ends[0], nullptr), "start"), work(), ok(cuEventRecord(ends[1], nullptr), "end");
    ok(cuEventSynchronize(ends[1]), "wait");
    ok(cuEventElapsedTime(&time, ends[0], ends[1]), "time");
    for (CUevent end : ends) ok(cuEventDestroy(end), "destroy");
    return time;
}

// A buffer on the device, uninitialised unless it is given values.
class Device {
public:
    explicit Device(std::size_t count) : count_(count) { ok(cuMemAlloc(&at_, count * 4), "cuMemAlloc"); }
    explicit Device(const Floats& values) : Device(values.size()) {
        upload(*this, values.data(), values.size());
    }
    ~Device() { cuCtxSynchronize(), cuMemFree(at_); }  // what runs late may still use it
    Device(const Device&) = delete;
    operator float*() const { return reinterpret_cast<float*>(at_); }
    Floats get() const {
        Floats values(count_);
        ok(cuCtxSynchronize(), "cuCtxSynchronize");
        ok(cuMemcpyDtoH(values.data(), at_, count_ * 4), "cuMemcpyDtoH");
        return values;
    }

private:
    std::size_t count_;
    CUdeviceptr at_ = 0;
};

// Shape and layout of a four-dimensional tensor; gap > 0 leaves elements unused between rows.
struct Shape {
    int n, c, h, w;
    enum Layout { NCHW, NHWC, GAPS } layout;
    std::size_t elements() const { return std::size_t(n) * c * h * w; }
    std::size_t span() const { return layout == GAPS ? std::size_t(n) * c * h * (w + 2) : elements(); }
    std::size_t at(int in, int ic, int ih, int iw) const {
        if (layout == NHWC) return ((std::size_t(in) * h + ih) * w + iw) * c + ic;
        return ((std::size_t(in) * c + ic) * h + ih) * (layout == GAPS ? w + 2 : w) + iw;
    }
    template <class Body>
    void each(Body body) const {
        for (int in = 0; in < n; in++)
            for (int ic = 0; ic < c; ic++)
                for (int ih = 0; ih < h; ih++)
                    for (int iw = 0; iw < w; iw++) body(in, ic, ih, iw);
    }
};

}  // namespace test
