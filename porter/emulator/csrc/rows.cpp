// Pages of a cache that are picked by an index: streams may work on some of them each.
#include "rows.h"

#include "device.h"

namespace porter {
namespace {

// The index itself lies on host memory, whichever device it belongs to. False where a row is out of
// range, or the index has gaps in more than one dimension.
template <typename Integer>
bool mark_rows(const at::Tensor& index, int64_t count, c10::SmallVectorImpl<uint64_t>& rows) {
  if (index.dim() != 1 && !index.is_contiguous()) {
    return false;
  }
  const auto* values =
      static_cast<const Integer*>(index.storage().data()) + index.storage_offset();
  const int64_t stride = index.dim() == 1 ? index.stride(0) : 1;
  for (int64_t i = 0; i < index.numel(); ++i) {
    const auto value = static_cast<int64_t>(values[i * stride]);
    const int64_t row = value < 0 ? value + count : value;
    if (row < 0 || row >= count) {
      return false;
    }
    rows[row / 64] |= uint64_t{1} << (row % 64);
  }
  return true;
}

at::Tensor index_of(const c10::IValue& value) {
  if (value.isTensor()) {
    return value.toTensor();
  }
  // Of several indices the first picks the rows.
  if (value.isList() && !value.toListRef().empty() && value.toListRef()[0].isTensor()) {
    return value.toListRef()[0].toTensor();
  }
  return {};
}

}  // namespace

std::optional<Region> picked_rows(const Operator& op, const torch::jit::Stack& stack) {
  if (!op.row_index) {
    return std::nullopt;
  }
  const size_t count = op.arguments.size();
  const auto& first = torch::jit::peek(stack, 0, count);
  const auto index = index_of(torch::jit::peek(stack, *op.row_index, count));
  if (!first.isTensor() || first.toTensor().device().type() != kHPU ||
      first.toTensor().dim() == 0 || !index.defined() || !index.has_storage()) {
    return std::nullopt;
  }
  const auto& tensor = first.toTensor();
  if (op.row_index == 2) {
    const auto& dim = torch::jit::peek(stack, 1, count);
    if (!dim.isInt() || (dim.toInt() != 0 && dim.toInt() != -tensor.dim())) {
      return std::nullopt;
    }
  }
  c10::SmallVector<uint64_t, 8> rows((tensor.size(0) + 63) / 64);
  const bool marked = index.scalar_type() == at::kLong
      ? mark_rows<int64_t>(index, tensor.size(0), rows)
      : index.scalar_type() == at::kInt && mark_rows<int32_t>(index, tensor.size(0), rows);
  if (!marked) {
    return std::nullopt;
  }
  return Region::of_rows(*tensor.unsafeGetTensorImpl(), rows);
}

}  // namespace porter
