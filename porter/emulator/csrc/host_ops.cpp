// Ops on tensors of the CPU, seen through torch's own observer, in all threads.
#include "host_ops.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>

#include "boxed.h"
#include "device.h"
#include "in_flight.h"
#include "operators.h"

namespace porter {
namespace {

using at::RecordFunction;

bool is_on_device(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().type() == kHPU;
}

// While an op is looked at: the ops that it is made of are not.
struct Outermost final : at::ObserverContext {
  Outermost() {
    inside() = true;
  }
  ~Outermost() override {
    inside() = false;
  }
  static bool& inside() {
    thread_local bool value = false;
    return value;
  }
};

template <typename Visit>
void each_tensor(const c10::IValue& value, const Visit& visit) {
  if (value.isTensor()) {
    visit(value.toTensor());
  } else if (value.isTensorList()) {
    for (const auto& tensor : value.toTensorVector()) {
      visit(tensor);
    }
  }
}

std::unique_ptr<at::ObserverContext> look(const RecordFunction& call) {
  const bool wanted = anything_in_flight() && !own_work() && !Outermost::inside();
  const auto name = wanted ? call.operator_name() : std::nullopt;
  const auto handle = name ? c10::Dispatcher::singleton().findSchema(*name) : std::nullopt;
  if (!handle) {
    return nullptr;
  }
  const auto& op = known(*handle);
  const auto inputs = call.inputs();
  if (!op.reads || inputs.size() > op.arguments.size()) {
    return nullptr;
  }
  bool on_device = false;
  for (const auto& value : inputs) {
    each_tensor(value, [&](const at::Tensor& tensor) { on_device |= is_on_device(tensor); });
  }
  // A move between CPU and device is an op of the device, even where its name hides the device.
  if (on_device || op.name.rfind("aten::_to_copy", 0) == 0) {
    return nullptr;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    each_tensor(inputs[i], [&](const at::Tensor& tensor) {
      check_host_access(tensor, op.arguments[i].written, op.name);
    });
  }
  return std::make_unique<Outermost>();
}

at::CallbackHandle add_observer() {
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(&look).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  at::disableCallback(handle);
  return handle;
}

}  // namespace

void watch_host_ops(bool wanted) {
  static const auto handle = add_observer();
  static bool watching = false;
  if (wanted != watching) {
    watching = wanted;
    wanted ? at::reenableCallback(handle) : at::disableCallback(handle);
  }
}

}  // namespace porter
