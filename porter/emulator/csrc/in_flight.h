#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "order.h"

namespace porter {

// Which copies that are asked to be asynchronous are: none, those with pinned host memory, all.
enum class Asynchrony { Off, Pinned, All };

void set_asynchrony(Asynchrony asynchrony);
bool is_asynchronous(const at::Tensor& host, bool non_blocking);

// A copy to the host arrives as late as it may: until the host has waited for `moment`, `host`
// holds rubbish. `device` is the device's tensor as the CPU sees it.
void arrive_later(const at::Tensor& host, const at::Tensor& device, const Moment& moment);

// A copy from the host may read its source as late as that: it is compared then, unless it
// `raced` with another copy that writes there.
void read_later(const at::Tensor& host, const Moment& moment, bool raced);

// Delivers what the host has waited for.
void deliver();

// A copy on `stream` is about to touch the host's memory. What earlier copies do there happens
// before, where the streams are ordered; else the two race, which is reported: then true.
bool follow(const at::Tensor& host, bool written, c10::StreamId stream);

// The host itself touches memory: reports it where a copy in flight does too.
void check_host_access(const at::Tensor& host, bool written, std::string_view op);

bool anything_in_flight();

// True while this thread does the emulator's own work on the CPU.
bool& own_work();

struct OwnWork {
  OwnWork() : before(std::exchange(own_work(), true)) {}
  ~OwnWork() {
    own_work() = before;
  }
  const bool before;
};

}  // namespace porter
