// cuDNN: from a tensor's layout in memory to the order in which everything is computed, and back.
#include <algorithm>

#include "dnn.h"

namespace softgpu::dnn {

std::size_t Tensor::count() const {
    std::size_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    return n;
}

std::size_t Tensor::span() const {
    std::size_t last = 0;
    for (int i = 0; i < rank; i++) last += std::size_t(dims[i] - 1) * strides[i];
    return last + 1;
}

bool Tensor::channelsLast() const {
    long expected = 1;
    auto fits = [&](int i) {
        bool fit = dims[i] == 1 || strides[i] == expected;
        expected *= dims[i];
        return fit;
    };
    if (!fits(1)) return false;
    for (int i = rank - 1; i >= 2; i--)
        if (!fits(i)) return false;
    return fits(0);
}

bool Tensor::sameShape(const Tensor& other) const {
    return rank == other.rank && std::equal(dims, dims + rank, other.dims);
}

std::string Tensor::shape() const {
    std::string text = "(";
    for (int i = 0; i < rank; i++) text += (i == 0 ? "" : ",") + std::to_string(dims[i]);
    return text + ")";
}

Tensor Filter::tensor() const {
    Tensor t;
    t.type = type;
    t.rank = rank;
    std::copy(dims, dims + rank, t.dims);
    int stride = 1;
    if (format == NHWC) {
        t.strides[1] = stride, stride *= dims[1];
        for (int i = rank - 1; i >= 2; i--) t.strides[i] = stride, stride *= dims[i];
        t.strides[0] = stride;
    } else {
        for (int i = rank - 1; i >= 0; i--) t.strides[i] = stride, stride *= dims[i];
    }
    return t;
}

Blend::Blend(const void* alpha, const void* beta) : alpha(0), beta(0) {
    require(alpha != nullptr && beta != nullptr, BAD_PARAM_NULL_POINTER, "alpha or beta is null");
    require(!valid(reinterpret_cast<Address>(alpha), 1) && !valid(reinterpret_cast<Address>(beta), 1), BAD_PARAM,
            "alpha and beta lie on the host");
    this->alpha = *static_cast<const float*>(alpha);
    this->beta = *static_cast<const float*>(beta);
}

void requireFloat(const Tensor& tensor) {
    require(tensor.rank != 0, BAD_PARAM, "a descriptor that was never set");
    require(tensor.type == FLOAT, NOT_SUPPORTED_DATA_TYPE, "only float");
}

void requireValues(const Tensor& tensor) {
    require(tensor.rank != 0, BAD_PARAM, "a descriptor that was never set");
    require(tensor.type == FLOAT || (tensor.type == BFLOAT16 && hasTf32()), NOT_SUPPORTED_DATA_TYPE,
            "only float, and bfloat16 from compute capability 8.0 on");
}

void requireData(const void* at) { require(at != nullptr, BAD_PARAM_NULL_POINTER, "a data pointer is null"); }

void requireSameShape(const Tensor& a, const Tensor& b) {
    require(a.sameShape(b), BAD_PARAM_SHAPE_MISMATCH, "shapes differ");
}

namespace {

// Calls body(offset in memory, index in the order of computing) for every element, in that order.
template <class Body>
void walk(const Tensor& t, Body body) {
    int space[DIM_MAX] = {};
    std::size_t index = 0;
    for (int n = 0; n < t.dims[0]; n++) {
        for (bool more = true; more;) {
            std::size_t offset = std::size_t(n) * t.strides[0];
            for (int i = 2; i < t.rank; i++) offset += std::size_t(space[i]) * t.strides[i];
            for (int c = 0; c < t.dims[1]; c++) body(offset + std::size_t(c) * t.strides[1], index++);
            more = false;
            for (int i = t.rank - 1; i >= 2 && !more; i--) {
                more = ++space[i] < t.dims[i];
                if (!more) space[i] = 0;
            }
        }
    }
}

// Checks what the tensor covers and no more: at once when it has no gaps, else element by element.
template <class T, class Touch>
T* touch(const Tensor& t, T* at, Touch one) {
    if (t.count() == t.span()) return one(at, t.count());
    T* first = nullptr;
    walk(t, [&](std::size_t offset, std::size_t index) {
        T* host = one(at + offset, 1);
        if (index == 0) first = host;
    });
    return first;
}

template <class T>
const T* readAll(Accessor& memory, const Tensor& tensor, const void* at) {
    T* from = static_cast<T*>(const_cast<void*>(at));
    return touch(tensor, from, [&](T* p, std::size_t n) { return const_cast<T*>(read(memory, p, n)); });
}

template <class T, class Narrow, class Widen>
void blendInto(Accessor& memory, const Tensor& tensor, void* at, Blend blend, const float* value, Narrow narrow,
               Widen widen) {
    T* to = touch(tensor, static_cast<T*>(at), [&](T* p, std::size_t n) {
        return blend.beta == 0 ? write(memory, p, n) : update(memory, p, n);
    });
    walk(tensor, [&](std::size_t offset, std::size_t index) {
        float scaled = blend.alpha * value[index];
        to[offset] = narrow(blend.beta == 0 ? scaled : scaled + blend.beta * widen(to[offset]));
    });
}

}  // namespace

Input::Input(Accessor& memory, const Tensor& tensor, const void* at) {
    if (tensor.type == BFLOAT16) {
        const std::uint16_t* halves = readAll<std::uint16_t>(memory, tensor, at);
        gathered_.resize(tensor.count());
        walk(tensor, [&](std::size_t offset, std::size_t index) { gathered_[index] = fromBf16(halves[offset]); });
    } else {
        data_ = readAll<float>(memory, tensor, at);
        if (tensor.channelsLast()) return;
        gathered_.resize(tensor.count());
        walk(tensor, [&](std::size_t offset, std::size_t index) { gathered_[index] = data_[offset]; });
    }
    data_ = gathered_.data();
}

Output::Output(Accessor& memory, const Tensor& tensor, void* at, Blend blend)
    : memory_(memory), tensor_(tensor), at_(at), blend_(blend) {
    if (tensor.type == FLOAT && tensor.channelsLast() && blend.alpha == 1 && blend.beta == 0) {
        data_ = write(memory, static_cast<float*>(at_), tensor.count());
    } else {
        staged_.resize(tensor.count());
        data_ = staged_.data();
    }
}

void Output::finish() {
    if (staged_.empty()) return;
    const auto same = [](float x) { return x; };
    if (tensor_.type == BFLOAT16) {
        blendInto<std::uint16_t>(memory_, tensor_, at_, blend_, staged_.data(), toBf16, fromBf16);
    } else {
        blendInto<float>(memory_, tensor_, at_, blend_, staged_.data(), same, same);
    }
}

}  // namespace softgpu::dnn
