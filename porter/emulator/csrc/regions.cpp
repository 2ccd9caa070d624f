// Do two tensors share a byte? Slices of one buffer may interleave without sharing any.
#include "regions.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace porter {
namespace {

using Steps = Region::Steps;
using Run = Region::Run;

// More are not listed: two such regions are taken to overlap where their extents do.
constexpr int64_t kRuns = 1 << 16;

int64_t count_runs(const Region& region) {
  if (region.runs) {
    return static_cast<int64_t>(region.runs->size());
  }
  int64_t count = 1;
  for (size_t i = 0; i + 1 < region.steps.size(); ++i) {
    count *= region.steps[i].count;
  }
  return count;
}

// In order.
std::shared_ptr<const std::vector<Run>> runs_of(const Region& region) {
  if (region.runs) {
    return region.runs;
  }
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
  std::vector<Run> runs;
  runs.reserve(starts.size());
  for (const auto start : starts) {
    runs.push_back({start, start + region.steps.back().count});
  }
  return std::make_shared<const std::vector<Run>>(std::move(runs));
}

bool rows_are_dense(const c10::TensorImpl& tensor) {
  int64_t expected = 1;
  for (int64_t i = tensor.dim() - 1; i > 0; --i) {
    if (tensor.size(i) > 1 && tensor.stride(i) != expected) {
      return false;
    }
    expected *= tensor.size(i);
  }
  return tensor.dim() > 0 && expected > 0 && tensor.stride(0) >= expected;
}

// Whether each run of `inner` lies in one of `outer`; no two of `outer` touch.
bool within(const std::vector<Run>& inner, const std::vector<Run>& outer) {
  size_t i = 0;
  return std::all_of(inner.begin(), inner.end(), [&](const Run& run) {
    while (i < outer.size() && outer[i].end < run.end) {
      ++i;
    }
    return i < outer.size() && outer[i].begin <= run.begin;
  });
}

bool meet(const std::vector<Run>& left, const std::vector<Run>& right) {
  for (size_t i = 0, j = 0; i < left.size() && j < right.size();) {
    if (left[i].begin < right[j].end && right[j].begin < left[i].end) {
      return true;
    }
    left[i].end < right[j].end ? ++i : ++j;
  }
  return false;
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

Region Region::of_rows(const c10::TensorImpl& tensor, c10::ArrayRef<uint64_t> rows) {
  const auto all = of(tensor);
  if (all.empty() || !rows_are_dense(tensor)) {
    return all;
  }
  const auto item = static_cast<int64_t>(tensor.itemsize());
  const int64_t distance = tensor.stride(0) * item;
  const int64_t length = tensor.numel() / tensor.size(0) * item;
  c10::SmallVector<Run, 8> runs;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (uint64_t left = rows[i]; left; left &= left - 1) {
      const int64_t row = static_cast<int64_t>(i) * 64 + std::countr_zero(left);
      const int64_t begin = all.begin + row * distance;
      if (!runs.empty() && runs.back().end == begin) {
        runs.back().end += length;
      } else {
        runs.push_back({begin, begin + length});
      }
    }
  }
  if (runs.empty()) {
    return whole(all.begin, all.begin);
  }
  auto region = whole(runs.front().begin, runs.back().end);
  if (runs.size() > 1) {
    region.runs = std::make_shared<const std::vector<Run>>(runs.begin(), runs.end());
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
  if (runs) {
    return other.runs ? within(*other.runs, *runs) : within({{other.begin, other.end}}, *runs);
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
  const int64_t own = count_runs(*this);
  const int64_t others = count_runs(other);
  if ((own == 1 && others == 1) || own > kRuns || others > kRuns) {
    return true;
  }
  return meet(*runs_of(*this), *runs_of(other));
}

}  // namespace porter
