#pragma once

#include <ATen/core/boxing/KernelFunction.h>

namespace porter {

// A boxed kernel for ops of c10d: the group's backend for the device does the work, on the CPU.
void run_collective(
    const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

}  // namespace porter
