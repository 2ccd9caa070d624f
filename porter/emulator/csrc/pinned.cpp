// Pinned host memory: ordinary memory whose addresses are remembered.
#include "pinned.h"

#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace porter {
namespace {

class Ranges {
 public:
  void add(const void* start, size_t bytes) {
    std::lock_guard lock(mutex_);
    bytes_[reinterpret_cast<uintptr_t>(start)] = bytes;
  }

  void remove(const void* start) {
    std::lock_guard lock(mutex_);
    bytes_.erase(reinterpret_cast<uintptr_t>(start));
  }

  bool hold(const void* pointer) {
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    std::lock_guard lock(mutex_);
    auto range = bytes_.upper_bound(address);
    return range != bytes_.begin() && (--range, address - range->first < range->second);
  }

 private:
  std::mutex mutex_;
  std::map<uintptr_t, size_t> bytes_;
};

Ranges& ranges() {
  static auto* const instance = new Ranges;
  return *instance;
}

void free_pinned(void* data) {
  ranges().remove(data);
  c10::free_cpu(data);
}

struct PinnedAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    bytes = std::max<size_t>(bytes, 1);
    void* data = c10::alloc_cpu(bytes);
    ranges().add(data, bytes);
    return {data, data, &free_pinned, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override {
    return &free_pinned;
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

PinnedAllocator allocator;

}  // namespace

c10::Allocator* pinned_allocator() {
  return &allocator;
}

bool is_pinned(const void* address) {
  return ranges().hold(address);
}

}  // namespace porter
