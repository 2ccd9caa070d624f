// Races between streams, allocation by allocation.
#include "accesses.h"

#include <algorithm>

namespace porter {
namespace {

// More than this are hardly ever in flight; the oldest are forgotten, which can hide a race but
// never invents one.
constexpr size_t kRemembered = 64;

}  // namespace

std::optional<Access> Accesses::add(const Access& access) {
  std::optional<Access> conflict;
  for (const auto& old : accesses_) {
    if ((access.written || old.written) && !order().before(old.moment, access.moment.stream) &&
        old.region.overlaps(access.region)) {
      conflict = old;
      break;
    }
  }
  // Who comes after this access comes after the ones it covers; everybody comes after those that
  // the host has waited for.
  accesses_.erase(
      std::remove_if(
          accesses_.begin(), accesses_.end(),
          [&](const Access& old) {
            return order().before_host(old.moment) ||
                ((access.written || !old.written) &&
                 order().before(old.moment, access.moment.stream) &&
                 access.region.covers(old.region));
          }),
      accesses_.end());
  if (accesses_.size() == kRemembered) {
    accesses_.erase(accesses_.begin());
  }
  accesses_.push_back(access);
  return conflict;
}

std::optional<Access> Accesses::unfinished(
    c10::StreamId owner, const std::vector<c10::StreamId>& told) const {
  for (const auto& access : accesses_) {
    // A collective keeps its tensors until it is done.
    if (access.moment.stream != kCollectives && !order().before(access.moment, owner) &&
        std::find(told.begin(), told.end(), access.moment.stream) == told.end()) {
      return access;
    }
  }
  return std::nullopt;
}

}  // namespace porter
