// Ops without a kernel of their own: the kernel of the CPU, on the same memory.
#include "fallback.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "aliases.h"
#include "boxed.h"
#include "device.h"
#include "device_check.h"
#include "generator.h"
#include "in_flight.h"
#include "operators.h"
#include "rows.h"

namespace porter {
namespace {

void to_host(
    c10::IValue& value, const Operator& op, const Operator::Argument& argument, Aliases& aliases,
    DeviceCheck& check, Observation& seen) {
  if (value.isTensor() || value.isList()) {
    const bool index = op.waits_for_masks && value.isList();
    map_tensors(value, [&](const at::Tensor& tensor) {
      check.see(tensor, argument.written);
      seen.operand(tensor, argument.written, index);
      check_host_access(tensor, argument.written, op.name);
      return aliases.to_host(tensor);
    });
  }
  if (value.isDevice() && value.toDevice().type() == kHPU) {
    check_card(value.toDevice());
    value = c10::Device(c10::DeviceType::CPU);
  } else if (value.isGenerator()) {
    value = host_generator(value.toGenerator());
  } else if (value.isNone() && argument.generator) {
    value = host_generator(default_generator());
  } else {
    seen.value(value);
  }
}

void run_on_host(Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack* stack) {
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Aliases aliases;
  DeviceCheck check;
  Observation seen(op);
  seen.narrow(sanitizing() ? picked_rows(op, *stack) : std::nullopt);
  const size_t count = op.arguments.size();
  for (size_t i = 0; i < count; ++i) {
    to_host(torch::jit::peek(*stack, i, count), op, op.arguments[i], aliases, check, seen);
  }
  if (check.mixed() && !op.host_indices) {
    check.check(op.name);
  }
  seen.start();
  call_on_host(handle, *stack, aliases, seen);
  seen.finish();
}

struct HostKernel final : c10::OperatorKernel {
  explicit HostKernel(Operator& op) : op(op) {}

  void operator()(
      const c10::OperatorHandle& handle, c10::DispatchKeySet /*keys*/, torch::jit::Stack* stack) {
    run_on_host(op, handle, stack);
  }

  Operator& op;
};

// Ops that came to be after the others had got their kernels.
void run_latecomer(
    const c10::OperatorHandle& handle, c10::DispatchKeySet /*keys*/, torch::jit::Stack* stack) {
  run_on_host(known(handle), handle, stack);
}

TORCH_LIBRARY_IMPL(_, HPU, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_latecomer>());
}

}  // namespace

c10::KernelFunction host_kernel(const c10::OperatorHandle& op) {
  return c10::KernelFunction::makeFromBoxedFunctor(std::make_unique<HostKernel>(known(op)));
}

void call_on_host(
    const c10::OperatorHandle& op, torch::jit::Stack& stack, Aliases& aliases, Observation& seen) {
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
  aliases.write_back();
  const size_t results = op.schema().returns().size();
  for (size_t i = 0; i < results; ++i) {
    map_tensors(torch::jit::peek(stack, i, results), [&](const at::Tensor& tensor) {
      auto result = aliases.to_device(tensor);
      seen.result(result);
      return result;
    });
  }
}

}  // namespace porter
