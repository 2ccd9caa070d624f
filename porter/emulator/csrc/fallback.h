#pragma once

#include <ATen/core/boxing/KernelFunction.h>

#include "aliases.h"
#include "observation.h"

namespace porter {

// The op's kernel for the CPU, on the same memory. Arguments and results are those on the stack.
void run_on_host(Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack* stack);

// A boxed kernel for one op: its kernel for the CPU, on the same memory.
c10::KernelFunction host_kernel(const c10::OperatorHandle& op);

// The last part of it, for arguments on the stack that are of the CPU by now: the call itself, and
// the results back on the device.
void call_on_host(
    const Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack& stack,
    Aliases& aliases, Observation& seen);

}  // namespace porter
