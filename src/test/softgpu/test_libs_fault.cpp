// What a program may get wrong around library calls, and calls that fail by plan.
#include "test_dnn.h"

using namespace test;

extern "C" {
void softgpu_reset();
std::int64_t softgpu_counter(const char*);
int softgpu_fail(const char*, std::int64_t);
std::int64_t softgpu_calls(const char*);
void softgpu_last_violation(char*, int);
int cublasCreate_v2(Any*);
int cublasDestroy_v2(Any);
int cublasSetStream_v2(Any, CUstream);
int cublasSetWorkspace_v2(Any, void*, std::size_t);
int cublasSscal_v2(Any, int, const float*, float*, int);
int cudnnActivationForward(Any, Any, const void*, Any, const void*, const void*, Any, void*);
}

namespace {

// Waits, wants a violation whose text has all of the words, and clears it for the cases that follow.
void caught(std::initializer_list<const char*> words) {
    char text[4096];
    isTrue(cuCtxSynchronize() != 0, "nothing was caught");
    softgpu_last_violation(text, sizeof text);
    for (const char* word : words)
        isTrue(std::string(text).find(word) != std::string::npos, std::string(word) + " is not in: " + text);
    softgpu_reset();
}

struct Scene {
    Dnn dnn;
    Activation relu{1, 0, 0};
    Values x{{1, 3, 4, 5, Shape::NHWC}, 1}, y{{1, 3, 4, 5, Shape::NHWC}, 2};
    int activate(const float* from, float* to) {
        return cudnnActivationForward(dnn, relu, &ONE, x.tensor, from, &ZERO, y.tensor, to);
    }
};

}  // namespace

CASE("uninitialised, short and freed operands of library calls are caught, with the call's name and shape") {
    Scene s;
    Device fresh(60), little(59);
    ok(s.activate(fresh, s.y.device), "queued");
    caught({"cudnnActivationForward", "(1,3,4,5)", "initialised"});
    ok(s.activate(s.x.device, little), "queued");
    caught({"cudnnActivationForward", "out of bounds"});
    float* gone;
    {
        Device freed(Floats(60, 1.0f));
        gone = freed;
    }
    ok(s.activate(gone, s.y.device), "queued");
    caught({"cudnnActivationForward", "freed"});
}

CASE("a sticky error refuses library calls until it is cleared") {
    Scene s;
    Device fresh(60);
    ok(s.activate(fresh, s.y.device), "queued");
    isTrue(cuCtxSynchronize() != 0, "caught");
    equals(s.activate(s.x.device, s.y.device), 5000, "after the violation");
    softgpu_reset();
    ok(s.activate(s.x.device, s.y.device), "after the reset");
    ok(cuCtxSynchronize(), "synchronise");
}

CASE("handles on two streams that share a workspace race, and an event between them does not") {
    Any handles[2];
    CUstream streams[2];
    CUevent event;
    float two = 2;
    Device workspace(1024), a(Floats{1, 2}), b(Floats{3, 4});
    ok(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), "event");
    for (int i = 0; i < 2; i++) {
        ok(cuStreamCreate(&streams[i], CU_STREAM_NON_BLOCKING), "stream");
        ok(cublasCreate_v2(&handles[i]), "handle"), ok(cublasSetStream_v2(handles[i], streams[i]), "set stream");
        ok(cublasSetWorkspace_v2(handles[i], workspace, 4096), "workspace");
    }
    for (bool ordered : {true, false}) {
        ok(cublasSscal_v2(handles[0], 2, &two, a, 1), "first");
        if (ordered)
            ok(cuEventRecord(event, streams[0]), "record"), ok(cuStreamWaitEvent(streams[1], event, 0), "wait");
        ok(cublasSscal_v2(handles[1], 2, &two, b, 1), "second");
        if (ordered) ok(cuCtxSynchronize(), "ordered by an event");
    }
    caught({"cublasSscal", "race"});
    for (int i = 0; i < 2; i++) ok(cublasDestroy_v2(handles[i]), "destroy"), ok(cuStreamDestroy(streams[i]), "destroy");
    ok(cuEventDestroy(event), "destroy");
}

CASE("planned failures hit the n-th call of their library, with its own status, and leave nothing behind") {
    Scene s;
    Any handle;
    softgpu_reset();
    equals(softgpu_fail("cudnn", 2), 0, "plan");
    ok(s.activate(s.x.device, s.y.device), "first");
    equals(s.activate(s.x.device, s.y.device), 5000, "second");
    ok(s.activate(s.x.device, s.y.device), "third");
    equals(softgpu_calls("cudnn"), 3, "calls");
    equals(softgpu_counter("calls:cudnnActivationForward"), 3, "counted by name");
    equals(softgpu_fail("cudnn", 1), 0, "plan");
    equals(cudnnCreate(&handle), 4003, "no handle");
    equals(softgpu_fail("cublas", 1), 0, "plan");
    equals(cublasCreate_v2(&handle), 3, "no handle");
    ok(cublasCreate_v2(&handle), "handle");
    equals(softgpu_fail("any", 1), 0, "plan");
    ok(cublasDestroy_v2(handle), "giving back does not fail");
    equals(softgpu_fail("any", 0), 0, "taken back");
    equals(cublasDestroy_v2(handle), 1, "given back twice");
    ok(cuCtxSynchronize(), "synchronise");
}
