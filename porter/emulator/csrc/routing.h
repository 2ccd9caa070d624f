#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string_view>

namespace porter {

// Gives a kernel to every op of the library that has one for the CPU and none yet for the device.
// A fallback alone would not do: a composite kernel wins over it, with other numerics
// and more dispatch.
using MakeKernel = c10::KernelFunction (*)(const c10::OperatorHandle& op);
void route(std::string_view library, MakeKernel make_kernel);

}  // namespace porter
