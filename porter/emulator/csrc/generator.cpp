// Random numbers: the same as those of a CPU generator with the same seed.
#include "generator.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GeneratorImpl.h>

#include "device.h"

namespace porter {
namespace {

class DeviceGenerator final : public c10::GeneratorImpl {
 public:
  explicit DeviceGenerator(at::Generator host)
      : GeneratorImpl(kCard, c10::DispatchKeySet(c10::DispatchKey::HPU)), host(std::move(host)) {}

  void set_current_seed(uint64_t seed) override {
    host.set_current_seed(seed);
  }
  void set_offset(uint64_t offset) override {
    host.set_offset(offset);
  }
  uint64_t get_offset() const override {
    return host.get_offset();
  }
  uint64_t current_seed() const override {
    return host.current_seed();
  }
  uint64_t seed() override {
    return host.seed();
  }
  void set_state(const c10::TensorImpl& state) override {
    host.unsafeGetGeneratorImpl()->set_state(state);
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return host.unsafeGetGeneratorImpl()->get_state();
  }

  at::Generator host;

 private:
  DeviceGenerator* clone_impl() const override {
    return new DeviceGenerator(host.clone());
  }
};

}  // namespace

at::Generator new_generator() {
  return at::make_generator<DeviceGenerator>(
      at::make_generator<at::CPUGeneratorImpl>(c10::default_rng_seed_val));
}

const at::Generator& default_generator() {
  static const auto* const instance = new at::Generator(new_generator());
  return *instance;
}

at::Generator host_generator(const at::Generator& generator) {
  return generator.device().type() == kHPU
      ? static_cast<DeviceGenerator*>(generator.unsafeGetGeneratorImpl())->host
      : generator;
}

}  // namespace porter
