#pragma once

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

namespace porter {

constexpr c10::DeviceType kHPU = c10::DeviceType::HPU;

// As on Gaudi, a process sees one card.
inline const c10::Device kCard{kHPU, 0};

inline void check_card(c10::Device device) {
  TORCH_CHECK(device.index() <= 0, device, " does not exist: a process has one device, ", kCard);
}

}  // namespace porter
