#pragma once

#include <optional>
#include <vector>

#include "operators.h"
#include "order.h"
#include "places.h"
#include "regions.h"

namespace porter {

// An op that reads or writes bytes of an allocation.
struct Access {
  Region region;
  Moment moment;
  bool written;
  const Operator* op;
  const Place* place;  // null unless places of all ops are wanted
};

// What was done to one allocation and may still be under way.
// Every member wants the lock of `order_mutex`.
class Accesses {
 public:
  // Adds an access; returns one that it conflicts with: the same bytes, one of the two writes
  // them, and nothing orders the streams.
  std::optional<Access> add(const Access& access);

  bool none() const {
    return accesses_.empty();
  }

  // One that may still run when the memory goes back to the stream it was allocated on.
  std::optional<Access> unfinished(c10::StreamId owner, const std::vector<c10::StreamId>& told) const;

 private:
  std::vector<Access> accesses_;
};

}  // namespace porter
