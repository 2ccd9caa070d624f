// Collectives: a process group's backend for the device, such as gloo, works on host memory.
#include "collectives.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <array>
#include <memory>

#include "aliases.h"
#include "boxed.h"
#include "device.h"
#include "fallback.h"
#include "in_flight.h"
#include "observation.h"
#include "tape.h"
#include "work.h"

namespace porter {
namespace {

using c10d::ProcessGroup;
using c10d::ReduceOp;
using c10d::Work;

// gloo can do more than hccl.
void check_op(const std::string& name) {
  TORCH_CHECK(
      name != "c10d::recv_any_source_",
      "hccl does not receive from any source: name the rank to receive from");
  TORCH_CHECK(
      name != "c10d::allgather_coalesced_",
      "hccl has no all_gather_coalesced: gather the tensors one by one");
}

void check_reduction(const ReduceOp& reduction) {
  constexpr std::array<const char*, 9> names{
      "SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR", "PREMUL_SUM"};
  switch (reduction.op_) {
    case ReduceOp::SUM:
    case ReduceOp::PRODUCT:
    case ReduceOp::MIN:
    case ReduceOp::MAX:
      return;
    default:
      TORCH_CHECK(
          false, "hccl reduces by SUM, PRODUCT, MIN or MAX, not by ReduceOp.",
          reduction.op_ < names.size() ? names[reduction.op_] : "UNUSED");
  }
}

// c10d's kernels for the CPU ask the group for its backend for the CPU. In the group itself that
// is another one, or none: a backend registered for both would accept tensors of the CPU.
c10::intrusive_ptr<ProcessGroup> on_host(const c10::intrusive_ptr<ProcessGroup>& group) {
  auto stand_in = c10::make_intrusive<ProcessGroup>(group->getRank(), group->getSize());
  stand_in->setBoundDeviceId(group->getBoundDeviceId());
  stand_in->setBackend(
      c10::DeviceType::CPU, ProcessGroup::BackendType::CUSTOM, group->getBackend(kHPU));
  return stand_in;
}

template <typename Class>
bool is_a(const c10::Argument& argument) {
  const auto type = argument.type()->cast<c10::ClassType>();
  return type && type == c10::getCustomClassType<c10::intrusive_ptr<Class>>();
}

// The schemas of c10d don't mark what is written; the names tell.
bool is_written(const c10::FunctionSchema& schema, const c10::Argument& argument) {
  return schema.name() != "c10d::send" && argument.name().rfind("input", 0) != 0;
}

void to_host(
    c10::IValue& value, const c10::FunctionSchema& schema, const c10::Argument& argument,
    Aliases& aliases, Observation& seen) {
  const bool written = is_written(schema, argument);
  map_tensors(value, [&](const at::Tensor& tensor) {
    TORCH_CHECK(
        !tensor.defined() || tensor.device().type() == kHPU,
        schema.name(), ": a tensor on ", tensor.device(), " among tensors on ", kCard);
    seen.operand(tensor, written);
    return aliases.to_host(tensor);
  });
}

}  // namespace

void run_collective(
    const c10::OperatorHandle& op, c10::DispatchKeySet /*keys*/, torch::jit::Stack* stack) {
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Observation seen(known(op));
  const auto& schema = op.schema();
  check_op(schema.name());
  refuse_while_capturing(schema.name());
  const auto aliases = std::make_shared<Aliases>();
  const auto& arguments = schema.arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& value = torch::jit::peek(*stack, i, arguments.size());
    if (is_a<ProcessGroup>(arguments[i])) {
      value = on_host(value.toCustomClass<ProcessGroup>());
    } else if (is_a<ReduceOp>(arguments[i])) {
      check_reduction(*value.toCustomClass<ReduceOp>());
    } else {
      to_host(value, schema, arguments[i], *aliases, seen);
    }
  }
  seen.start_on(kCollectives);
  flush_graph("collective");
  call_on_host(known(op), op, *stack, *aliases, seen);
  const auto& returns = schema.returns();
  for (size_t i = 0; i < returns.size(); ++i) {
    if (is_a<Work>(returns[i])) {
      auto& value = torch::jit::peek(*stack, i, returns.size());
      value = on_device(value.toCustomClass<Work>(), aliases);
    }
  }
}

}  // namespace porter
