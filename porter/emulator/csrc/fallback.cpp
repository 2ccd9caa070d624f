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
#include "row_copies.h"
#include "rows.h"
#include "tape.h"

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

void call_on_cpu(
    const Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack& stack) {
  if (!op.copies_rows || !copy_rows(stack)) {
    handle.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
  }
}

std::vector<at::Tensor> results_of(const c10::OperatorHandle& op, torch::jit::Stack& stack) {
  std::vector<at::Tensor> results;
  const size_t count = op.schema().returns().size();
  for (size_t i = 0; i < count; ++i) {
    c10::IValue value = torch::jit::peek(stack, i, count);
    map_tensors(value, [&](const at::Tensor& tensor) {
      results.push_back(tensor);
      return tensor;
    });
  }
  return results;
}

// The op once more: what it makes anew is copied to where it lay the first time, which `kept`,
// on the device, holds.
void put_on_tape(
    Tape& tape, const Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack arguments,
    std::vector<at::Tensor> results, std::vector<at::Tensor> kept, const Observation& seen) {
  tape.add([&op, handle, arguments = std::move(arguments), results = std::move(results),
            kept = std::move(kept), seen = seen.again()] {
    at::AutoDispatchBelowADInplaceOrView below;
    OwnWork own;
    seen.again().start();
    auto stack = arguments;
    call_on_cpu(op, handle, stack);
    const auto fresh = results_of(handle, stack);
    for (size_t i = 0; i < fresh.size(); ++i) {
      if (fresh[i].defined() && !fresh[i].is_alias_of(results[i])) {
        results[i].copy_(fresh[i]);
      }
    }
  });
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
  call_on_host(op, handle, *stack, aliases, seen);
  seen.finish();
}

c10::KernelFunction host_kernel(const c10::OperatorHandle& op) {
  return c10::KernelFunction::makeFromBoxedFunctor(std::make_unique<HostKernel>(known(op)));
}

void call_on_host(
    const Operator& op, const c10::OperatorHandle& handle, torch::jit::Stack& stack,
    Aliases& aliases, Observation& seen) {
  const size_t count = handle.schema().arguments().size();
  auto arguments =
      capturing() ? torch::jit::Stack(stack.end() - count, stack.end()) : torch::jit::Stack();
  call_on_cpu(op, handle, stack);
  auto on_host = capturing() ? results_of(handle, stack) : std::vector<at::Tensor>();
  aliases.write_back();
  const size_t results = handle.schema().returns().size();
  for (size_t i = 0; i < results; ++i) {
    map_tensors(torch::jit::peek(stack, i, results), [&](const at::Tensor& tensor) {
      auto result = aliases.to_device(tensor);
      seen.result(result);
      return result;
    });
  }
  if (auto* tape = capturing()) {
    put_on_tape(
        *tape, op, handle, std::move(arguments), std::move(on_host), results_of(handle, stack),
        seen);
  }
}

}  // namespace porter
