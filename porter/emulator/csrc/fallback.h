#pragma once

#include <ATen/core/boxing/KernelFunction.h>

#include "aliases.h"

namespace porter {

// A boxed kernel: the op's kernel for the CPU, on the same memory.
void run_on_host(
    const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

// The last part of it, for arguments on the stack that are of the CPU by now: the call itself, and
// the results back on the device.
void call_on_host(const c10::OperatorHandle& op, torch::jit::Stack& stack, Aliases& aliases);

}  // namespace porter
