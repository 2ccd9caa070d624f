// Vector clocks: who has waited for whom.
#include "order.h"

#include <algorithm>

namespace porter {
namespace {

void join(Clock& clock, const Clock& other) {
  for (size_t i = 0; i < kStreams; ++i) {
    clock[i] = std::max(clock[i], other[i]);
  }
}

}  // namespace

Moment Order::tick(c10::StreamId stream) {
  return {stream, ++clocks_[stream][stream]};
}

void Order::stream_waits(c10::StreamId stream, const Clock& until) {
  join(clocks_[stream], until);
}

void Order::host_waits(const Clock& until) {
  join(host_, until);
}

Clock Order::everything() const {
  Clock all{};
  for (const auto& clock : clocks_) {
    join(all, clock);
  }
  return all;
}

std::mutex& order_mutex() {
  static auto* const instance = new std::mutex;
  return *instance;
}

Order& order() {
  static auto* const instance = new Order;
  return *instance;
}

}  // namespace porter
