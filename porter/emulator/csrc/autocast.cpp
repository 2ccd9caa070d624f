// Autocast: torch's own lists of ops by policy; any other op as it is.
#include <ATen/autocast_mode.h>
#include <torch/library.h>

// The macros of the lists expect to be expanded in this namespace, with a library named m.
namespace at::autocast {
namespace {

#define PORTER_LOWER_PRECISION(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, lower_precision_fp)
#define PORTER_FP32(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, fp32)
#define PORTER_FP32_OPTIONAL(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, fp32_set_opt_dtype)
#define PORTER_FP32_APPENDED(...) \
  KERNEL_DIFFERENT_REDISPATCH_SIGNATURE(c10::DeviceType::HPU, __VA_ARGS__)
#define PORTER_PROMOTE(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, promote)

TORCH_LIBRARY_IMPL(_, AutocastHPU, m) {
  m.fallback(torch::CppFunction::makeFallthrough());
}

TORCH_LIBRARY_IMPL(aten, AutocastHPU, m) {
  AT_FORALL_LOWER_PRECISION_FP(PORTER_LOWER_PRECISION)
  AT_FORALL_FP32(PORTER_FP32)
  AT_FORALL_FP32_SET_OPT_DTYPE(PORTER_FP32_OPTIONAL)
  AT_FORALL_DIFFERENT_REDISPATCH_SIGNATURE(PORTER_FP32_APPENDED)
  AT_FORALL_PROMOTE(PORTER_PROMOTE)
}

}  // namespace
}  // namespace at::autocast
