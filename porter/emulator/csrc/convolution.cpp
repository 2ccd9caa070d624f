// Convolution: for a device it does not know, torch calls the "overrideable" pair.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/library.h>

#include "aliases.h"
#include "device_check.h"
#include "in_flight.h"
#include "observation.h"
#include "tape.h"

namespace porter {
namespace {

using at::Tensor;
using c10::SymIntArrayRef;

void check_devices(std::initializer_list<Tensor> tensors, const char* op) {
  DeviceCheck check;
  for (const auto& tensor : tensors) {
    check.see(tensor);
  }
  check.check(op);
}

Observation observe(Operator& op, std::initializer_list<Tensor> operands) {
  Observation seen(op);
  for (const auto& tensor : operands) {
    seen.operand(tensor, false);
  }
  seen.start();
  return seen;
}

Tensor convolution(
    const Tensor& input,
    const Tensor& weight,
    const std::optional<Tensor>& bias,
    SymIntArrayRef stride,
    SymIntArrayRef padding,
    SymIntArrayRef dilation,
    bool transposed,
    SymIntArrayRef output_padding,
    c10::SymInt groups) {
  check_devices({input, weight, bias.value_or(Tensor())}, "aten::convolution");
  static auto& op = known("aten::convolution_overrideable");
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Aliases aliases;
  auto seen = observe(op, {input, weight, bias.value_or(Tensor())});
  std::optional<Tensor> host_bias;
  if (bias) {
    host_bias = aliases.to_host(*bias);
  }
  const auto host = at::convolution_symint(
      aliases.to_host(input), aliases.to_host(weight), host_bias, stride, padding, dilation,
      transposed, output_padding, groups);
  if (auto* tape = capturing()) {
    tape->add([=, seen = seen.again(), input = aliases.to_host(input),
               weight = aliases.to_host(weight), stride = stride.vec(), padding = padding.vec(),
               dilation = dilation.vec(), output_padding = output_padding.vec()] {
      at::AutoDispatchBelowADInplaceOrView below;
      OwnWork own;
      seen.again().start();
      host.copy_(at::convolution_symint(
          input, weight, host_bias, stride, padding, dilation, transposed, output_padding, groups));
    });
  }
  auto result = aliases.to_device(host);
  seen.result(result);
  return result;
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(
    const Tensor& grad,
    const Tensor& input,
    const Tensor& weight,
    SymIntArrayRef stride,
    SymIntArrayRef padding,
    SymIntArrayRef dilation,
    bool transposed,
    SymIntArrayRef output_padding,
    c10::SymInt groups,
    std::array<bool, 3> wanted) {
  check_devices({grad, input, weight}, "aten::convolution_backward");
  static auto& op = known("aten::convolution_backward_overrideable");
  refuse_while_capturing("aten::convolution_backward");
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Aliases aliases;
  auto seen = observe(op, {grad, input, weight});
  const c10::SymInt channels = transposed ? weight.sym_size(1) * groups : weight.sym_size(0);
  const auto [for_input, for_weight, for_bias] = at::convolution_backward_symint(
      aliases.to_host(grad), aliases.to_host(input), aliases.to_host(weight),
      SymIntArrayRef(&channels, 1), stride, padding, dilation, transposed, output_padding,
      std::move(groups), wanted);
  std::tuple<Tensor, Tensor, Tensor> results{
      aliases.to_device(for_input), aliases.to_device(for_weight), aliases.to_device(for_bias)};
  seen.result(std::get<0>(results));
  seen.result(std::get<1>(results));
  seen.result(std::get<2>(results));
  return results;
}

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  library.impl("convolution_overrideable", &convolution);
  library.impl("convolution_backward_overrideable", &convolution_backward);
}

}  // namespace
}  // namespace porter
