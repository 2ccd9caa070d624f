// int64 in lazy mode.
#include "integers.h"

#include <algorithm>

#include "observation.h"
#include "recorder.h"
#include "reports.h"

namespace porter {
namespace {

constexpr int64_t kUninitialized = 0x5A5A5A5A;

bool wanted(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kLong && tensor.numel() > 0 && lazy() && sanitizing();
}

bool fits(int64_t value) {
  return value == static_cast<int32_t>(value);
}

const int64_t* first_that_does_not_fit(const int64_t* values, int64_t count) {
  uint64_t above = 0;
  for (int64_t i = 0; i < count; ++i) {
    above |= (static_cast<uint64_t>(values[i]) + 0x80000000ULL) >> 32;
  }
  return above ? std::find_if_not(values, values + count, fits) : nullptr;
}

// Calls visit(values, count) for each run of neighbours; stops where it returns something.
template <typename Visit>
const int64_t* visit_runs(const c10::TensorImpl& tensor, int64_t* base, int64_t dim, Visit visit) {
  if (dim == tensor.dim()) {
    return visit(base, 1);
  }
  if (dim == tensor.dim() - 1 && tensor.stride(dim) == 1) {
    return visit(base, tensor.size(dim));
  }
  for (int64_t i = 0; i < tensor.size(dim); ++i) {
    if (const auto* found = visit_runs(tensor, base + i * tensor.stride(dim), dim + 1, visit)) {
      return found;
    }
  }
  return nullptr;
}

template <typename Visit>
const int64_t* visit_values(const at::Tensor& tensor, Visit visit) {
  auto* base = static_cast<int64_t*>(const_cast<void*>(tensor.storage().data())) +
      tensor.storage_offset();
  return tensor.is_contiguous() ? visit(base, tensor.numel())
                                : visit_runs(*tensor.unsafeGetTensorImpl(), base, 0, visit);
}

}  // namespace

void check_int64(const at::Tensor& tensor, const Operator& op) {
  if (!wanted(tensor)) {
    return;
  }
  if (const auto* value = visit_values(tensor, first_that_does_not_fit)) {
    report(
        "int64-truncated", op.name,
        c10::str(op.name, " leaves ", *value, " in an int64 tensor on hpu, where lazy mode holds "
                 "32 bits; keep hashes, pointers and large ids on the CPU"));
  }
}

void settle_int64(const at::Tensor& tensor) {
  if (wanted(tensor)) {
    auto* values = static_cast<int64_t*>(const_cast<void*>(tensor.storage().data()));
    std::fill_n(values, tensor.storage().nbytes() / sizeof(int64_t), kUninitialized);
  }
}

}  // namespace porter
