// What our libnvrtc gives for a cubin: PTX, with the architecture that was asked for.
#pragma once
#include <cstdint>

namespace softgpu {

constexpr char cubinMagic[9] = "\x7fSOFTGPU";

struct CubinHeader {
    char magic[8];
    std::uint32_t architecture;  // 80
    std::uint32_t bytes;         // of the PTX that follows
};

}  // namespace softgpu
