// What torch asks an accelerator for, apart from kernels.
#include <ATen/detail/HPUHooksInterface.h>

#include "device.h"
#include "generator.h"
#include "pinned.h"

// The registry looks the class up by this very name.
namespace at {

struct HPUHooks final : HPUHooksInterface {
  explicit HPUHooks(HPUHooksArgs /*unused*/) {}

  void init() const override {}
  bool hasHPU() const override {
    return true;
  }
  bool isBuilt() const override {
    return true;
  }
  bool isAvailable() const override {
    return true;
  }
  bool hasPrimaryContext(DeviceIndex /*index*/) const override {
    return true;
  }

  DeviceIndex deviceCount() const override {
    return 1;
  }
  DeviceIndex getCurrentDevice() const override {
    return 0;
  }
  void setCurrentDevice(DeviceIndex index) const override {
    porter::check_card({porter::kHPU, index});
  }
  DeviceIndex exchangeDevice(DeviceIndex index) const override {
    setCurrentDevice(index);
    return 0;
  }
  DeviceIndex maybeExchangeDevice(DeviceIndex index) const override {
    return exchangeDevice(index);
  }
  Device getDeviceFromPtr(void* /*data*/) const override {
    return porter::kCard;
  }

  Allocator* getPinnedMemoryAllocator() const override {
    return porter::pinned_allocator();
  }
  bool isPinnedPtr(const void* data) const override {
    return porter::is_pinned(data);
  }

  const Generator& getDefaultGenerator(DeviceIndex index) const override {
    setCurrentDevice(index);
    return porter::default_generator();
  }
  Generator getNewGenerator(DeviceIndex index) const override {
    setCurrentDevice(index);
    return porter::new_generator();
  }
};

REGISTER_HPU_HOOKS(HPUHooks);

}  // namespace at
