// Collectives: a process group's backend for the device, such as gloo, works on host memory.
#include "collectives.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "aliases.h"
#include "boxed.h"
#include "device.h"
#include "fallback.h"
#include "in_flight.h"
#include "observation.h"

namespace porter {
namespace {

using c10d::ProcessGroup;

// c10d's kernels for the CPU ask the group for its backend for the CPU. In the group itself that
// is another one, or none: a backend registered for both would accept tensors of the CPU.
c10::intrusive_ptr<ProcessGroup> on_host(const c10::intrusive_ptr<ProcessGroup>& group) {
  auto stand_in = c10::make_intrusive<ProcessGroup>(group->getRank(), group->getSize());
  stand_in->setBoundDeviceId(group->getBoundDeviceId());
  stand_in->setBackend(
      c10::DeviceType::CPU, ProcessGroup::BackendType::CUSTOM, group->getBackend(kHPU));
  return stand_in;
}

bool is_group(const c10::Argument& argument) {
  const auto type = argument.type()->cast<c10::ClassType>();
  return type && type == c10::getCustomClassType<c10::intrusive_ptr<ProcessGroup>>();
}

}  // namespace

void run_collective(
    const c10::OperatorHandle& op, c10::DispatchKeySet /*keys*/, torch::jit::Stack* stack) {
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Observation seen(known(op));
  const auto& schema = op.schema();
  const auto& arguments = schema.arguments();
  Aliases aliases;
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& value = torch::jit::peek(*stack, i, arguments.size());
    if (is_group(arguments[i])) {
      value = on_host(value.toCustomClass<ProcessGroup>());
    } else {
      map_tensors(value, [&](const at::Tensor& tensor) {
        TORCH_CHECK(
            !tensor.defined() || tensor.device().type() == kHPU,
            schema.name(), ": a tensor on ", tensor.device(), " among tensors on ", kCard);
        // The schemas of c10d don't say which tensors are written.
        seen.operand(tensor, true);
        return aliases.to_host(tensor);
      });
    }
  }
  seen.start();
  flush_graph("collective");
  call_on_host(op, *stack, aliases, seen);
}

}  // namespace porter
