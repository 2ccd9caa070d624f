// Do two tensors share a byte? Slices of one buffer may interleave without sharing any.
#include "regions.h"

#include <algorithm>
#include <vector>

namespace porter {
namespace {

using Steps = Region::Steps;

// More are not listed: two such regions are taken to overlap where their extents do.
constexpr int64_t kRuns = 1 << 16;

int64_t count_runs(const Region& region) {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < region.steps.size(); ++i) {
    count *= region.steps[i].count;
  }
  return count;
}

// Where each run begins, in order.
std::vector<int64_t> runs_of(const Region& region) {
  std::vector<int64_t> starts{region.begin};
  for (size_t i = 0; i + 1 < region.steps.size(); ++i) {
    const auto [stride, count] = region.steps[i];
    std::vector<int64_t> more;
    more.reserve(starts.size() * count);
    for (const auto start : starts) {
      for (int64_t j = 0; j < count; ++j) {
        more.push_back(start + j * stride);
      }
    }
    starts = std::move(more);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
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
  if (count_runs(*this) > kRuns || count_runs(other) > kRuns) {
    return true;
  }
  const auto own = runs_of(*this);
  const auto others = runs_of(other);
  const auto length = steps.back().count;
  const auto other_length = other.steps.back().count;
  for (size_t i = 0, j = 0; i < own.size() && j < others.size();) {
    if (own[i] + length <= others[j]) {
      ++i;
    } else if (others[j] + other_length <= own[i]) {
      ++j;
    } else {
      return true;
    }
  }
  return false;
}

}  // namespace porter
