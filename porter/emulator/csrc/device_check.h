#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "device.h"
#include "reports.h"

namespace porter {

// The devices of one op's arguments. Beside a tensor of the device, a CPU tensor may stand only if
// it is a number that is read.
class DeviceCheck {
 public:
  void see(const at::Tensor& tensor, bool written = false) {
    if (tensor.defined()) {
      on_device_ |= tensor.device().type() == kHPU;
      on_host_ |= tensor.is_cpu() && (written || tensor.dim() > 0);
    }
  }

  bool mixed() const {
    return on_device_ && on_host_;
  }

  void check(std::string_view op) const {
    if (mixed()) {
      const auto message = c10::str(
          "Expected all tensors to be on the same device, but found at least two devices, ", kCard,
          " and cpu! (when executing ", op, ")");
      report("mixed-devices", op, message);
      TORCH_CHECK(false, message);
    }
  }

 private:
  bool on_device_ = false;
  bool on_host_ = false;
};

}  // namespace porter
