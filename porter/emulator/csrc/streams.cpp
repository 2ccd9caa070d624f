// Streams, events and the device guard. Work is done when an op returns, so no thread ever stops;
// who has waited for whom is kept all the same.
#include "streams.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <chrono>

#include "device.h"
#include "in_flight.h"
#include "order.h"
#include "recorder.h"

namespace porter {
namespace {

using WallClock = std::chrono::steady_clock;

thread_local c10::StreamId current = kDefaultStream;
std::atomic<uint64_t> made{0};

struct Event {
  WallClock::time_point recorded;
  Clock clock;
};

Clock clock_of(c10::StreamId id) {
  std::lock_guard lock(order_mutex());
  return order().of(id);
}

c10::Stream stream(c10::StreamId id) {
  return c10::Stream(c10::Stream::UNSAFE, kCard, id);
}

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override {
    return kHPU;
  }
  c10::DeviceIndex deviceCount() const noexcept override {
    return 1;
  }
  c10::Device getDevice() const override {
    return kCard;
  }
  void setDevice(c10::Device device) const override {
    check_card(device);
  }
  void uncheckedSetDevice(c10::Device /*device*/) const noexcept override {}
  c10::Device exchangeDevice(c10::Device device) const override {
    check_card(device);
    return kCard;
  }

  c10::Stream getStream(c10::Device /*device*/) const override {
    return stream(current);
  }
  c10::Stream getDefaultStream(c10::Device /*device*/) const override {
    return stream(kDefaultStream);
  }
  c10::Stream getNewStream(c10::Device device, int /*priority*/) const override {
    check_card(device);
    return stream(new_stream());
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool /*high*/) const override {
    return getNewStream(device, 0);
  }
  c10::Stream exchangeStream(c10::Stream next) const override {
    const auto before = current;
    set_stream(next.id());
    return stream(before);
  }
  bool queryStream(const c10::Stream& stream) const override {
    flush_graph("stream query");
    host_waits(clock_of(stream.id()), nullptr);
    return true;
  }
  void synchronizeStream(const c10::Stream& stream) const override {
    synchronize_stream(stream.id(), "stream synchronize");
  }
  void synchronizeDevice(c10::DeviceIndex index) const override {
    check_card({kHPU, index});
    synchronize("synchronize");
  }

  void record(
      void** event,
      const c10::Stream& stream,
      c10::DeviceIndex /*index*/,
      c10::EventFlag /*flag*/) const override {
    if (!*event) {
      *event = new Event;
    }
    if (stream.id() == current) {
      flush_graph("event record");
    }
    *static_cast<Event*>(*event) = {WallClock::now(), clock_of(stream.id())};
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event) {
      std::lock_guard lock(order_mutex());
      order().stream_waits(stream.id(), static_cast<Event*>(event)->clock);
    }
  }
  bool queryEvent(void* event) const override {
    if (event) {
      host_waits(static_cast<Event*>(event)->clock, nullptr);
    }
    return true;
  }
  void synchronizeEvent(void* event) const override {
    if (event) {
      host_waits(static_cast<Event*>(event)->clock, "event synchronize");
    }
  }
  double elapsedTime(void* start, void* end, c10::DeviceIndex /*index*/) const override {
    return elapsed_ms(start, end);
  }
  void destroyEvent(void* event, c10::DeviceIndex /*index*/) const noexcept override {
    delete static_cast<Event*>(event);
  }
};

C10_REGISTER_GUARD_IMPL(HPU, Guard);

}  // namespace

c10::StreamId current_stream() {
  return current;
}

void set_stream(c10::StreamId id) {
  TORCH_CHECK(
      id >= 0 && id <= kCollectives, "stream ", id, " does not exist on ", kCard);
  if (id != current) {
    flush_graph("stream switch");
    current = id;
  }
}

c10::StreamId new_stream() {
  return static_cast<c10::StreamId>(1 + made++ % (kCollectives - 1));
}

void host_waits(const Clock& until, const char* reason) {
  {
    std::lock_guard lock(order_mutex());
    if (reason) {
      count_sync(reason);
    }
    order().host_waits(until);
  }
  deliver();
}

void synchronize(const char* reason) {
  flush_graph(reason);
  Clock everything;
  {
    std::lock_guard lock(order_mutex());
    everything = order().everything();
  }
  host_waits(everything, reason);
}

void synchronize_stream(c10::StreamId id, const char* reason) {
  flush_graph(reason);
  host_waits(clock_of(id), reason);
}

double elapsed_ms(const void* start, const void* end) {
  TORCH_CHECK(start && end, "Both events must be recorded before calculating elapsed time.");
  const auto span =
      static_cast<const Event*>(end)->recorded - static_cast<const Event*>(start)->recorded;
  return std::chrono::duration<double, std::milli>(span).count();
}

}  // namespace porter
