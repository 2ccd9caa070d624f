#pragma once

#include <ATen/core/boxing/KernelFunction.h>

#include <string_view>

namespace porter {

// Gives `kernel` to every op of the library that has a kernel for the CPU and none yet for the
// device. A fallback alone would not do: a composite kernel wins over it, with other numerics
// and more dispatch.
void route(std::string_view library, const c10::KernelFunction& kernel);

}  // namespace porter
