// Kernels that must not go through the fallback: what makes memory, what moves it between CPU and
// device, what takes a storage or a stream, and the views, which touch no memory at all.
#include <ATen/EmptyTensor.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_local_scalar_dense_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include "aliases.h"
#include "allocator.h"
#include "blocks.h"
#include "device.h"
#include "in_flight.h"
#include "integers.h"
#include "observation.h"
#include "recorder.h"
#include "streams.h"
#include "tape.h"

namespace porter {
namespace {

using at::IntArrayRef;
using at::Tensor;

constexpr c10::DispatchKeySet kKeys{c10::DispatchKey::HPU};

void check_factory(
    std::optional<at::Layout> layout, std::optional<c10::Device> device, std::optional<bool> pin) {
  check_card(device.value_or(kCard));
  TORCH_CHECK_NOT_IMPLEMENTED(
      layout.value_or(at::kStrided) == at::kStrided,
      "the emulated device holds dense tensors only, not ", *layout);
  TORCH_CHECK(!pin.value_or(false), "Only dense CPU tensors can be pinned");
}

Tensor empty(
    IntArrayRef size,
    std::optional<at::ScalarType> dtype,
    std::optional<at::Layout> layout,
    std::optional<c10::Device> device,
    std::optional<bool> pin,
    std::optional<at::MemoryFormat> format) {
  check_factory(layout, device, pin);
  Tensor made = at::detail::empty_generic(
      size, device_allocator(), kKeys, c10::dtype_or_default(dtype), format);
  settle_int64(made);
  return made;
}

Tensor empty_strided(
    IntArrayRef size,
    IntArrayRef stride,
    std::optional<at::ScalarType> dtype,
    std::optional<at::Layout> layout,
    std::optional<c10::Device> device,
    std::optional<bool> pin) {
  check_factory(layout, device, pin);
  Tensor made = at::detail::empty_strided_generic(
      size, stride, device_allocator(), kKeys, c10::dtype_or_default(dtype));
  settle_int64(made);
  return made;
}

// A ZeroTensor of the CPU has no memory that a tensor of the device could share.
Tensor efficientzerotensor(
    IntArrayRef size,
    std::optional<at::ScalarType> dtype,
    std::optional<at::Layout> layout,
    std::optional<c10::Device> device,
    std::optional<bool> pin) {
  return at::zeros(size, dtype, layout, device, pin);
}

void copy_to_device(const Tensor& from, const Tensor& to, bool non_blocking, Observation& seen) {
  Aliases aliases;
  seen.start_transfer(Direction::ToDevice, to.nbytes(), nullptr);
  const bool raced = follow(from, false, seen.moment().stream);
  aliases.to_host(to).copy_(from);
  if (is_asynchronous(from, non_blocking)) {
    read_later(from, seen.moment(), raced);
  }
}

void copy_to_host(const Tensor& from, const Tensor& to, bool non_blocking, Observation& seen) {
  Aliases aliases;
  seen.start_transfer(Direction::ToHost, from.nbytes(), "copy to host");
  follow(to, true, seen.moment().stream);
  if (is_asynchronous(to, non_blocking)) {
    arrive_later(to, aliases.to_host(from), seen.moment());
  } else {
    synchronize_stream(seen.moment().stream, "copy to host");
    to.copy_(aliases.to_host(from));
  }
}

void copy_on_device(const Tensor& from, const Tensor& to, Observation& seen) {
  Aliases aliases;
  const auto work = [from = aliases.to_host(from), to = aliases.to_host(to), bytes = to.nbytes()](
                        Observation seen) {
    seen.start();
    count_copy_on_device(bytes);
    to.copy_(from);
  };
  work(seen);
  if (auto* tape = capturing()) {
    tape->add([work, seen = seen.again()] { work(seen.again()); });
  }
}

bool on_device(const Tensor& tensor) {
  TORCH_CHECK_NOT_IMPLEMENTED(
      tensor.is_cpu() || tensor.device().type() == kHPU,
      "no copy between ", kCard, " and ", tensor.device());
  return !tensor.is_cpu();
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool non_blocking) {
  static auto& op = known("aten::copy_");
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Observation seen(op);
  const bool reads_device = on_device(from);
  const bool writes_device = on_device(to);
  seen.operand(from, false);
  seen.operand(to, true);
  if (!to.numel()) {
    return to;
  }
  if (reads_device && writes_device) {
    copy_on_device(from, to, seen);
  } else if (reads_device) {
    copy_to_host(from, to, non_blocking, seen);
  } else {
    copy_to_device(from, to, non_blocking, seen);
  }
  seen.finish();
  return to;
}

at::Scalar local_scalar_dense(const Tensor& self) {
  static auto& op = known("aten::_local_scalar_dense");
  at::AutoDispatchBelowADInplaceOrView below;
  OwnWork own;
  Observation seen(op);
  seen.operand(self, false);
  seen.start_transfer(Direction::ToHost, self.itemsize(), "item");
  synchronize_stream(seen.moment().stream, "item");
  Aliases aliases;
  return at::native::_local_scalar_dense_cpu(aliases.to_host(self));
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

Tensor& set_storage(
    Tensor& self, at::Storage source, int64_t offset, IntArrayRef size, IntArrayRef stride) {
  return at::native::set_storage_cpu_(self, std::move(source), offset, size, stride);
}

Tensor& set_whole_storage(Tensor& self, at::Storage source) {
  const auto elements = static_cast<int64_t>(source.nbytes() / self.dtype().itemsize());
  return set_storage(self, std::move(source), 0, {elements}, {});
}

Tensor& set_tensor(Tensor& self, const Tensor& source) {
  return at::native::set_tensor_(self, source);
}

Tensor& set_nothing(Tensor& self) {
  c10::Storage nothing(c10::Storage::use_byte_size_t(), 0, device_allocator(), true);
  return set_storage(self, std::move(nothing), 0, {0}, {});
}

Tensor as_strided(
    const Tensor& self, IntArrayRef size, IntArrayRef stride, std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(self, size, stride, offset);
}

Tensor view(const Tensor& self, IntArrayRef size) {
  return at::native::view(self, size);
}

Tensor reshape_alias(const Tensor& self, IntArrayRef size, IntArrayRef stride) {
  return at::native::_reshape_alias(self, size, stride);
}

Tensor unfold(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
  return at::native::unfold(self, dimension, size, step);
}

void record_stream(Tensor& self, c10::Stream stream) {
  TORCH_CHECK(stream.device_type() == kHPU, "record_stream: not a stream of hpu: ", stream);
  if (auto* block = block_of(self.storage())) {
    std::lock_guard lock(order_mutex());
    block->told.push_back(stream.id());
  }
}

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("_efficientzerotensor", &efficientzerotensor);
  library.impl("_copy_from", &copy_from);
  library.impl("_local_scalar_dense", &local_scalar_dense);
  library.impl("_copy_from_and_resize", &copy_from_and_resize);
  library.impl("set_.source_Storage_storage_offset", &set_storage);
  library.impl("set_.source_Storage", &set_whole_storage);
  library.impl("set_.source_Tensor", &set_tensor);
  library.impl("set_", &set_nothing);
  library.impl("as_strided", &as_strided);
  library.impl("view", &view);
  library.impl("_reshape_alias", &reshape_alias);
  library.impl("unfold", &unfold);
  library.impl("record_stream", &record_stream);
}

// The copy itself resolves conjugated and negated views; resolving them before it would ask for
// the same copy again, without end.
TORCH_LIBRARY_IMPL(aten, Conjugate, library) {
  library.impl("_copy_from", torch::CppFunction::makeFallthrough());
}
TORCH_LIBRARY_IMPL(aten, Negative, library) {
  library.impl("_copy_from", torch::CppFunction::makeFallthrough());
}

}  // namespace
}  // namespace porter
