// What the four libraries of the software GPU share. Implemented in libcuda.so.1; libcublas and libcudnn link to it.
//
// Work is never done when it is asked for: a call checks its arguments on the spot and enqueues a task, and tasks run
// when somebody waits (stream, event, context, blocking copy). So a program that reads a result without waiting reads
// what was there before, as on hardware.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace softgpu {

using Address = std::uint64_t;  // of device memory: a range that is unmapped on the host
struct Stream;                  // what CUstream and cudaStream_t point to; null is the default stream

// A bug in the program that is being run: out of bounds, uninitialised, a race, freed memory, a misaligned access.
// Printed on stderr, counted, and from then on the context answers with the sticky error, as CUDA does.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The running task's checked view of device memory. Each range is bounds-checked against one live allocation, reads
// also for initialised bytes, and both are entered into the race detector under the running task's name.
class Accessor {
public:
    virtual const void* read(Address at, std::size_t bytes) = 0;
    virtual void* write(Address at, std::size_t bytes) = 0;   // marks the bytes initialised
    virtual void* update(Address at, std::size_t bytes) = 0;  // read and write
    virtual ~Accessor() = default;
};

template <class T> const T* read(Accessor& a, const T* at, std::size_t n) {
    return static_cast<const T*>(a.read(reinterpret_cast<Address>(at), n * sizeof(T)));
}
template <class T> T* write(Accessor& a, T* at, std::size_t n) {
    return static_cast<T*>(a.write(reinterpret_cast<Address>(at), n * sizeof(T)));
}
template <class T> T* update(Accessor& a, T* at, std::size_t n) {
    return static_cast<T*>(a.update(reinterpret_cast<Address>(at), n * sizeof(T)));
}

using Work = std::function<void(Accessor&)>;  // must capture by value: it runs later, and again at each graph launch

// Enqueues library work (into the graph when the stream is capturing). `name` says call and shapes, for reports.
// Returns false after a sticky error.
bool enqueue(Stream* stream, std::string name, Work work);

// Whether the address lies in a live device allocation with that many bytes behind it: for argument checks at the call.
bool valid(Address at, std::size_t bytes);

// True while the stream records a graph: allocation, synchronisation and workspace changes are then forbidden.
bool capturing(Stream* stream);

// Fault injection: every library entry point asks once, with its kind ("alloc", "copy", "launch", "graph", "cublas",
// "cudnn", "nvrtc", ...) and its own name; true means: fail now with your own error code.
bool fails(const char* kind, const char* function);

// Counts a call of a library function, for reports and tests.
void count(const char* function);

// Counts what the running task, a library's, moved in device memory, as kernels are counted.
void moved(const char* function, std::int64_t loaded, std::int64_t stored);

// Has events see the running task take so much longer; nobody waits for it.
void delay(double milliseconds);

}  // namespace softgpu
