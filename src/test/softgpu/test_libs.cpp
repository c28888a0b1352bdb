// Runs all cases against the real libcuda of the software GPU.
#include "test_libs.h"

namespace test {
namespace {
int failed;
}

std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}

void fail(const std::string& text) {
    if (failed++ < 5) std::printf("    %s\n", text.c_str());
}

}  // namespace test

int main(int argc, char** argv) {
    CUdevice device;
    CUcontext context;
    if (cuInit(0) || cuDeviceGet(&device, 0) || cuDevicePrimaryCtxRetain(&context, device)) return 2;
    if (cuCtxSetCurrent(context)) return 2;
    int passed = 0, failures = 0;
    for (const test::Case& one : test::cases()) {
        if (argc > 1 && std::string(one.name).find(argv[1]) == std::string::npos) continue;
        test::failed = 0;
        one.body();
        std::printf("%s %s\n", test::failed ? "FAILED" : "passed", one.name);
        (test::failed ? failures : passed)++;
    }
    std::printf("%d passed, %d failed\n", passed, failures);
    return failures == 0 ? 0 : 1;
}
