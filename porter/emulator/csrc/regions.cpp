// Do two tensors share a byte? Slices of one buffer may interleave without sharing any.
#include "regions.h"

#include <algorithm>

namespace porter {
namespace {

using Steps = Region::Steps;

struct Span {
  int64_t first;
  int64_t count;
};

// Where a region lies in a grid that starts at `origin`: one span for each stride, so that a byte
// has one place. False where a span would run into the next row.
bool place(
    const Region& region, const c10::SmallVectorImpl<Steps>& grid, int64_t origin,
    c10::SmallVectorImpl<Span>& spans) {
  int64_t offset = region.begin - origin;
  size_t next = 0;
  int64_t stride_above = INT64_MAX;
  for (const auto& step : grid) {
    const int64_t first = offset / step.stride;
    offset %= step.stride;
    int64_t count = 1;
    if (next < region.steps.size() && region.steps[next].stride == step.stride) {
      count = region.steps[next++].count;
    }
    if ((first + count) > stride_above / step.stride) {
      return false;
    }
    spans.push_back({first, count});
    stride_above = step.stride;
  }
  return next == region.steps.size() && offset == 0;
}

}  // namespace

Region Region::whole(int64_t begin, int64_t end) {
  Region region;
  region.begin = begin;
  region.end = end;
  region.steps.push_back({1, end - begin});
  return region;
}

Region Region::of(const c10::TensorImpl& tensor, int64_t origin) {
  const auto item = static_cast<int64_t>(tensor.itemsize());
  const int64_t begin = origin + tensor.storage_offset() * item;
  if (tensor.is_contiguous()) {
    return whole(begin, begin + tensor.numel() * item);
  }
  Region region;
  region.begin = region.end = begin;
  if (tensor.numel() == 0) {
    return region;
  }
  for (int64_t i = 0; i < tensor.dim(); ++i) {
    if (tensor.size(i) > 1 && tensor.stride(i) != 0) {
      region.steps.push_back({tensor.stride(i) * item, tensor.size(i)});
    }
  }
  std::sort(region.steps.begin(), region.steps.end(), [](const Steps& left, const Steps& right) {
    return left.stride > right.stride;
  });
  region.steps.push_back({1, item});
  // Neighbours without a gap are one: from the run upwards.
  size_t last = region.steps.size() - 1;
  while (last > 0 && region.steps[last - 1].stride ==
                         region.steps[last].stride * region.steps[last].count) {
    region.steps[last - 1] = {
        region.steps[last].stride, region.steps[last].count * region.steps[last - 1].count};
    region.steps.pop_back();
    --last;
  }
  region.end = begin + 1;
  for (const auto& step : region.steps) {
    region.end += (step.count - 1) * step.stride;
  }
  return region;
}

bool Region::covers(const Region& other) const {
  if (other.empty()) {
    return true;
  }
  if (other.begin < begin || other.end > end) {
    return false;
  }
  if (steps.size() == 1) {
    return true;
  }
  return other.begin == begin && other.end == end && steps.size() == other.steps.size() &&
      std::equal(
          steps.begin(), steps.end(), other.steps.begin(),
          [](const Steps& left, const Steps& right) {
            return left.stride == right.stride && left.count == right.count;
          });
}

bool Region::overlaps(const Region& other) const {
  if (empty() || other.empty() || begin >= other.end || other.begin >= end) {
    return false;
  }
  if (steps.size() == 1 && other.steps.size() == 1) {
    return true;
  }
  const auto& grid = steps.size() >= other.steps.size() ? steps : other.steps;
  const int64_t origin = std::min(begin, other.begin);
  c10::SmallVector<Span, 4> own;
  c10::SmallVector<Span, 4> others;
  if (!place(*this, grid, origin, own) || !place(other, grid, origin, others)) {
    return true;
  }
  return std::equal(
      own.begin(), own.end(), others.begin(), [](const Span& left, const Span& right) {
        return left.first < right.first + right.count && right.first < left.first + left.count;
      });
}

}  // namespace porter
