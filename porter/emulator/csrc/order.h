#pragma once

#include <c10/core/Stream.h>

#include <array>
#include <cstdint>
#include <mutex>

namespace porter {

// The default stream and 32 more: the bridge has no more, and hands them out again in turn. The
// last is that of the collectives, which nobody can make the current one.
constexpr c10::StreamId kCollectives = 33;
constexpr size_t kStreams = 34;

// How far each stream has come, as somebody knows it.
using Clock = std::array<uint64_t, kStreams>;

// What a stream did, and when by its own count.
struct Moment {
  c10::StreamId stream = 0;
  uint64_t time = 0;
};

// What happens before what: a clock for each stream and one for the host, all threads of it.
// Every member wants the lock of `order_mutex`.
class Order {
 public:
  // The next piece of work on a stream.
  Moment tick(c10::StreamId stream);
  const Clock& of(c10::StreamId stream) const {
    return clocks_[stream];
  }
  void stream_waits(c10::StreamId stream, const Clock& until);
  void host_waits(const Clock& until);
  Clock everything() const;

  bool before(const Moment& moment, c10::StreamId stream) const {
    return clocks_[stream][moment.stream] >= moment.time || before_host(moment);
  }
  bool before_host(const Moment& moment) const {
    return host_[moment.stream] >= moment.time;
  }

 private:
  std::array<Clock, kStreams> clocks_{};
  Clock host_{};
};

// Never held while a kernel runs, nor while Python is asked for anything: both may wait for a
// thread that waits for this lock.
std::mutex& order_mutex();
Order& order();

}  // namespace porter
