// Copies that the host asked for and has not waited for.
#include "in_flight.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/logical_not.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "host_ops.h"
#include "observation.h"
#include "pinned.h"
#include "places.h"
#include "regions.h"
#include "reports.h"

namespace porter {
namespace {

struct InFlight {
  bool to_host;
  at::Tensor host;
  at::Tensor bytes;  // what was on the way when the copy was asked for
  Region region;     // of the host's memory, by address
  Moment moment;
  Place place;
  bool reported = false;  // of a copy from the host: not to be compared any more
};

std::atomic<Asynchrony> asynchrony{Asynchrony::All};
std::atomic<size_t> in_flight_count{0};

// Under the lock of `order_mutex`; taken out of it before they are destroyed, since a tensor that
// dies may ask for the interpreter's lock.
std::vector<InFlight>& in_flight() {
  static auto* const instance = new std::vector<InFlight>;
  return *instance;
}

bool can_lie_in_flight(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_cpu() && tensor.layout() == at::kStrided &&
      tensor.has_storage() && tensor.numel() > 0;
}

Region host_region(const at::Tensor& host) {
  return Region::of(
      *host.unsafeGetTensorImpl(), static_cast<int64_t>(
          reinterpret_cast<uintptr_t>(host.storage().data())));
}

at::Tensor snapshot(const at::Tensor& tensor) {
  return at::empty_like(tensor, tensor.options(), at::MemoryFormat::Contiguous).copy_(tensor);
}

void fill_with_rubbish(const at::Tensor& host, const at::Tensor& bytes) {
  if (host.is_floating_point() || host.is_complex()) {
    host.fill_(std::numeric_limits<double>::quiet_NaN());
  } else if (host.scalar_type() == at::kBool) {
    host.copy_(at::logical_not(bytes));
  } else {
    host.fill_(host.scalar_type() == at::kByte ? 0xAB : -85);
  }
}

bool same_bytes(const at::Tensor& left, const at::Tensor& right) {
  const auto bytes = [](const at::Tensor& tensor) {
    return tensor.contiguous().reshape(-1).view(at::kByte);
  };
  return at::equal(bytes(left), bytes(right));
}

void take_off(InFlight copy) {
  std::lock_guard lock(order_mutex());
  in_flight().push_back(std::move(copy));
  ++in_flight_count;
  watch_host_ops(true);
}

template <typename Done>
std::vector<InFlight> take_out(const Done& done) {
  std::vector<InFlight> taken;
  std::lock_guard lock(order_mutex());
  auto& copies = in_flight();
  const auto kept = std::stable_partition(
      copies.begin(), copies.end(), [&](const InFlight& copy) { return !done(copy); });
  std::move(kept, copies.end(), std::back_inserter(taken));
  copies.erase(kept, copies.end());
  if (copies.empty()) {
    watch_host_ops(false);
  }
  return taken;
}

// One thread at a time: who has waited for a copy finds it landed, whoever lands it.
template <typename Done>
void land(const Done& done) {
  static auto* const mutex = new std::mutex;
  std::vector<InFlight> landed;
  std::vector<const InFlight*> spoilt;
  {
    std::lock_guard lock(*mutex);
    OwnWork own;
    at::AutoDispatchBelowADInplaceOrView below;
    landed = take_out(done);
    for (const auto& copy : landed) {
      if (copy.to_host) {
        copy.host.copy_(copy.bytes);
      } else if (!copy.reported && !same_bytes(copy.host, copy.bytes)) {
        spoilt.push_back(&copy);
      }
    }
    in_flight_count -= landed.size();
  }
  for (const auto* copy : spoilt) {
    report_at(
        copy->place, "overwritten-in-flight", "aten::copy_",
        "the host changed the source of this non_blocking copy to hpu before it had waited for "
        "it; synchronize, or keep the source until an event behind the copy has passed");
  }
}

}  // namespace

void set_asynchrony(Asynchrony wanted) {
  asynchrony = wanted;
}

bool is_asynchronous(const at::Tensor& host, bool non_blocking) {
  const auto mode = asynchrony.load(std::memory_order_relaxed);
  return non_blocking && sanitizing() && mode != Asynchrony::Off &&
      (mode == Asynchrony::All || is_pinned(host.storage().data()));
}

void arrive_later(const at::Tensor& host, const at::Tensor& device, const Moment& moment) {
  OwnWork own;
  auto bytes = at::empty_like(host, host.options(), at::MemoryFormat::Contiguous);
  bytes.copy_(device);
  fill_with_rubbish(host, bytes);
  take_off({true, host, std::move(bytes), host_region(host), moment, current_place()});
}

void read_later(const at::Tensor& host, const Moment& moment, bool raced) {
  OwnWork own;
  take_off({false, host, snapshot(host), host_region(host), moment, current_place(), raced});
}

void deliver() {
  if (anything_in_flight()) {
    land([](const InFlight& copy) { return order().before_host(copy.moment); });
  }
}

bool follow(const at::Tensor& host, bool written, c10::StreamId stream) {
  if (!anything_in_flight()) {
    return false;
  }
  const auto region = host_region(host);
  const auto meets = [&](const InFlight& copy) {
    return (written || copy.to_host) && copy.region.overlaps(region);
  };
  std::optional<Moment> raced;
  Place asked;
  {
    std::lock_guard lock(order_mutex());
    for (auto& copy : in_flight()) {
      if (meets(copy) && !order().before(copy.moment, stream)) {
        copy.reported = true;
        raced = copy.moment;
        asked = copy.place;
      }
    }
  }
  // Two that write land in their order anyway.
  land([&](const InFlight& copy) {
    return meets(copy) && written != copy.to_host && order().before(copy.moment, stream);
  });
  if (raced) {
    report(
        "stream-race", "aten::copy_",
        c10::str(
            "a copy", written ? " from hpu" : " to hpu", stream_name(stream),
            written ? " writes" : " reads", " host memory that the one", at_place(&asked),
            stream_name(raced->stream), " may still use; let this stream wait for the other one"));
  }
  return raced.has_value();
}

void check_host_access(const at::Tensor& host, bool written, std::string_view op) {
  if (!anything_in_flight() || !can_lie_in_flight(host)) {
    return;
  }
  const auto region = host_region(host);
  bool found = false;
  bool arriving = false;
  Place asked;
  {
    std::lock_guard lock(order_mutex());
    for (auto& copy : in_flight()) {
      if ((copy.to_host || written) && copy.region.overlaps(region)) {
        found = copy.reported = true;
        arriving = copy.to_host;
        asked = copy.place;
      }
    }
  }
  if (!found) {
    return;
  }
  report(
      written ? "overwritten-in-flight" : "read-in-flight", op,
      c10::str(
          op, written ? " overwrites on the host" : " reads on the host", " what the non_blocking copy ",
          arriving ? "from hpu" : "to hpu", at_place(&asked), arriving ? " still writes" : " may still read",
          "; synchronize, or wait for an event behind the copy, before"));
}

bool anything_in_flight() {
  return in_flight_count.load(std::memory_order_relaxed) > 0;
}

bool& own_work() {
  thread_local bool own = false;
  return own;
}

}  // namespace porter
