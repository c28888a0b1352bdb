#include "ptx.h"

#include <algorithm>
#include <cstring>

#include "ptx_bind.h"

namespace softgpu::ptx {

std::shared_ptr<const Module> parse(const std::string& text) {
    const Text parsed = read(text);
    auto module = std::make_shared<Module>();
    module->target = parsed.target;
    for (const Datum& d : parsed.data)
        if (d.home == Home::global || d.home == Home::constant)
            module->variables.push_back({d.name, d.bytes, d.alignment, d.initial, d.home == Home::constant});
    for (const Function& f : parsed.functions) {
        if (!f.entry || f.declaration) continue;
        Kernel kernel;
        kernel.name = f.name;
        kernel.maxThreads = std::min(f.maxThreads, maxThreadsPerBlock);
        auto code = std::make_shared<Code>();
        Binder(parsed, f, kernel, *code).run();
        kernel.code = std::move(code);
        module->kernels.push_back(std::move(kernel));
    }
    return module;
}

const Kernel* Module::find(const std::string& kernel) const {
    for (const Kernel& k : kernels)
        if (k.name == kernel) return &k;
    return nullptr;
}

Image::Image(std::shared_ptr<const Module> module, Memory& memory) : module_(std::move(module)), memory_(memory) {
    Space& space = Internals::global(memory);
    for (const Variable& v : module_->variables) {
        if (v.bytes == 0) continue;
        const Address at = memory_.allocate(v.bytes);
        if (at == 0) {
            for (const auto& [name, address] : addresses_) memory_.release(address);
            throw std::bad_alloc();
        }
        addresses_[v.name] = at;
        const std::size_t offset = at - globalBase;
        std::memset(space.state + offset, setByte, v.bytes);
        if (!v.initial.empty()) std::memcpy(space.data + offset, v.initial.data(), v.bytes);
    }
    for (const Kernel& k : module_->kernels) {
        std::vector<std::byte> constants = k.code->constants;
        for (const Relocation& r : k.code->relocations) {
            const u64 value = address(r.symbol) + static_cast<u64>(r.addend);
            for (std::size_t i = 0; i < 32; ++i) std::memcpy(constants.data() + r.offset + 8 * i, &value, 8);
        }
        constants_[k.code.get()] = std::move(constants);
    }
}

Image::~Image() {
    for (const auto& [name, address] : addresses_) memory_.release(address);
}

Address Image::address(const std::string& variable) const {
    const auto found = addresses_.find(variable);
    return found == addresses_.end() ? 0 : found->second;
}

std::size_t Image::bytes(const std::string& variable) const {
    for (const Variable& v : module_->variables)
        if (v.name == variable) return v.bytes;
    return 0;
}

const std::vector<std::byte>& Image::constants(const Code& code) const { return constants_.at(&code); }

}  // namespace softgpu::ptx
