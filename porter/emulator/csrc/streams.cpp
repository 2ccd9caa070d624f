// Streams, events and the device guard. Work is done when an op returns, so nothing waits.
#include "streams.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <chrono>

#include "device.h"

namespace porter {
namespace {

using Clock = std::chrono::steady_clock;

thread_local c10::StreamId current = kDefaultStream;
std::atomic<c10::StreamId> latest{kDefaultStream};

struct Event {
  Clock::time_point recorded;
};

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
    return stream(std::exchange(current, next.id()));
  }
  bool queryStream(const c10::Stream& /*stream*/) const override {
    return true;
  }
  void synchronizeStream(const c10::Stream& /*stream*/) const override {}
  void synchronizeDevice(c10::DeviceIndex index) const override {
    check_card({kHPU, index});
  }

  void record(
      void** event,
      const c10::Stream& /*stream*/,
      c10::DeviceIndex /*index*/,
      c10::EventFlag /*flag*/) const override {
    if (!*event) {
      *event = new Event;
    }
    static_cast<Event*>(*event)->recorded = Clock::now();
  }
  void block(void* /*event*/, const c10::Stream& /*stream*/) const override {}
  bool queryEvent(void* /*event*/) const override {
    return true;
  }
  void synchronizeEvent(void* /*event*/) const override {}
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
  current = id;
}

c10::StreamId new_stream() {
  return ++latest;
}

void synchronize() {}

double elapsed_ms(const void* start, const void* end) {
  TORCH_CHECK(start && end, "Both events must be recorded before calculating elapsed time.");
  const auto span =
      static_cast<const Event*>(end)->recorded - static_cast<const Event*>(start)->recorded;
  return std::chrono::duration<double, std::milli>(span).count();
}

}  // namespace porter
