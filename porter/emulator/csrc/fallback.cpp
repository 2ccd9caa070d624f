// Ops without a kernel of their own: the kernel of the CPU, on the same memory.
#include "fallback.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <algorithm>
#include <array>

#include "aliases.h"
#include "boxed.h"
#include "device.h"
#include "device_check.h"
#include "generator.h"

namespace porter {
namespace {

// Indices may lie on the CPU, as they may for any device.
bool takes_host_indices(const std::string& name) {
  constexpr std::array<const char*, 5> names{
      "aten::index", "aten::_unsafe_index", "aten::index_put_", "aten::_index_put_impl_",
      "aten::_unsafe_index_put"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void to_host(
    c10::IValue& value, const c10::Argument& argument, Aliases& aliases, DeviceCheck& check) {
  const bool written = argument.alias_info() && argument.alias_info()->isWrite();
  map_tensors(value, [&](const at::Tensor& tensor) {
    check.see(tensor, written);
    return aliases.to_host(tensor);
  });
  if (value.isDevice() && value.toDevice().type() == kHPU) {
    check_card(value.toDevice());
    value = c10::Device(c10::DeviceType::CPU);
  } else if (value.isGenerator()) {
    value = host_generator(value.toGenerator());
  } else if (value.isNone() && argument.name() == "generator") {
    value = host_generator(default_generator());
  }
}

TORCH_LIBRARY_IMPL(_, HPU, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_host>());
}

}  // namespace

void call_on_host(const c10::OperatorHandle& op, torch::jit::Stack& stack, Aliases& aliases) {
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), &stack);
  aliases.write_back();
  const size_t results = op.schema().returns().size();
  for (size_t i = 0; i < results; ++i) {
    map_tensors(torch::jit::peek(stack, i, results), [&](const at::Tensor& tensor) {
      return aliases.to_device(tensor);
    });
  }
}

void run_on_host(
    const c10::OperatorHandle& op, c10::DispatchKeySet /*keys*/, torch::jit::Stack* stack) {
  at::AutoDispatchBelowADInplaceOrView below;
  const auto& schema = op.schema();
  const auto& arguments = schema.arguments();
  Aliases aliases;
  DeviceCheck check;
  for (size_t i = 0; i < arguments.size(); ++i) {
    to_host(torch::jit::peek(*stack, i, arguments.size()), arguments[i], aliases, check);
  }
  if (check.mixed() && !takes_host_indices(schema.name())) {
    check.check(schema.name());
  }
  call_on_host(op, *stack, aliases);
}

}  // namespace porter
