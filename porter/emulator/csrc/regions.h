#pragma once

#include <c10/core/TensorImpl.h>
#include <c10/util/SmallVector.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace porter {

// The bytes that an op touches in an allocation: runs of equal length at regular distances, or the
// rows that an index picks.
struct Region {
  struct Steps {
    int64_t stride;  // bytes
    int64_t count;
  };

  // Relative to the start of the storage; `origin` is added to every byte.
  static Region of(const c10::TensorImpl& tensor, int64_t origin = 0);
  static Region whole(int64_t begin, int64_t end);
  // Some rows along the first dimension, a bit for each; all of the tensor where a row has gaps.
  static Region of_rows(const c10::TensorImpl& tensor, c10::ArrayRef<uint64_t> rows);

  bool empty() const {
    return begin == end;
  }
  // Whether every byte of `other` is one of this region. False where it can't be told.
  bool covers(const Region& other) const;
  // Whether a byte is in both. True where it can't be told.
  bool overlaps(const Region& other) const;

  struct Run {
    int64_t begin;
    int64_t end;
  };

  int64_t begin = 0;
  int64_t end = 0;                     // behind the last byte
  c10::SmallVector<Steps, 2> steps;    // longest stride first; the last is the run: stride 1
  // In order and apart; null where `steps` tell all there is to tell.
  std::shared_ptr<const std::vector<Run>> runs;
};

}  // namespace porter
