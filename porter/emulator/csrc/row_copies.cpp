// Pages written into a cache by their numbers: what code for Gaudi does most.
#include "row_copies.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstring>

namespace porter {
namespace {

constexpr int64_t kBytesOfThread = 1 << 16;  // below that, a second thread costs more than it saves

// The CPU's kernel takes them, too: not so 8 bit floats.
bool can_be_copied(at::ScalarType type) {
  return type == at::kBFloat16 || type == at::kHalf || type == at::kFloat || type == at::kDouble ||
      (c10::isIntegralType(type, true) && !c10::isBarebonesUnsignedType(type));
}

bool plain(const at::Tensor& tensor) {
  return tensor.is_contiguous() && !tensor.is_conj() && !tensor.is_neg();
}

bool are_rows(const at::Tensor& self, const at::Tensor& index, const at::Tensor& source) {
  return self.dim() > 1 && plain(self) && plain(source) && source.dtype() == self.dtype() &&
      can_be_copied(self.scalar_type()) && index.scalar_type() == at::kLong && index.dim() == 1 &&
      index.is_contiguous() && source.dim() == self.dim() &&
      source.size(0) == index.numel() && source.sizes().slice(1) == self.sizes().slice(1) &&
      source.numel() > 0 && !self.is_alias_of(source) && !self.is_alias_of(index);
}

}  // namespace

bool copy_rows(torch::jit::Stack& stack) {
  const auto& self = torch::jit::peek(stack, 0, 4).toTensor();
  const auto dim = torch::jit::peek(stack, 1, 4).toInt();
  const auto& index = torch::jit::peek(stack, 2, 4).toTensor();
  const auto& source = torch::jit::peek(stack, 3, 4).toTensor();
  if ((dim != 0 && dim != -self.dim()) || !are_rows(self, index, source)) {
    return false;
  }
  const auto* rows = index.const_data_ptr<int64_t>();
  const auto count = self.size(0);
  const auto inside = [&](int64_t row) { return row >= 0 && row < count; };
  if (!std::all_of(rows, rows + index.numel(), inside)) {
    return false;
  }
  const auto bytes = static_cast<int64_t>(source.nbytes()) / index.numel();
  auto* to = static_cast<char*>(self.mutable_data_ptr());
  const auto* from = static_cast<const char*>(source.const_data_ptr());
  const auto grain = std::max<int64_t>(1, kBytesOfThread / bytes);
  at::parallel_for(0, index.numel(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::memcpy(to + rows[i] * bytes, from + i * bytes, bytes);
    }
  });
  torch::jit::drop(stack, 3);
  return true;
}

}  // namespace porter
