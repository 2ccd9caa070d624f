// Memory of the device: bytes of the host, counted exactly and held to a limit.
#include "allocator.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <mutex>

#include "blocks.h"
#include "device.h"
#include "observation.h"
#include "reports.h"
#include "streams.h"

namespace porter {
namespace {

class Ledger {
 public:
  void add(size_t bytes) {
    std::lock_guard lock(mutex_);
    TORCH_CHECK(
        bytes <= stats_.limit && stats_.allocated <= stats_.limit - bytes,
        "HPU out of memory: tried to allocate ", bytes, " bytes; ", stats_.allocated, " of ",
        stats_.limit, " bytes are in use (emulated device)");
    stats_.allocated += bytes;
    stats_.peak = std::max(stats_.peak, stats_.allocated);
    stats_.recent_peak = std::max(stats_.recent_peak, stats_.allocated);
    ++stats_.allocations;
  }

  void remove(size_t bytes) {
    std::lock_guard lock(mutex_);
    stats_.allocated -= bytes;
    ++stats_.frees;
  }

  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak = stats_.allocated;
  }

  size_t restart_peak() {
    std::lock_guard lock(mutex_);
    return std::exchange(stats_.recent_peak, stats_.allocated);
  }

  void set_limit(size_t bytes) {
    std::lock_guard lock(mutex_);
    stats_.limit = bytes;
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  std::mutex mutex_;
  MemoryStats stats_{0, 0, 0, size_t{96} << 30, 0, 0};
};

// Never destroyed: tensors may outlive the static objects of this library.
Ledger& ledger() {
  static auto* const instance = new Ledger;
  return *instance;
}

void delete_block(void* block) {
  delete static_cast<Block*>(block);
}

void report_unfinished(Block& block) {
  std::optional<Access> access;
  {
    std::lock_guard lock(order_mutex());
    access = block.accesses.unfinished(block.stream, block.told);
  }
  if (access && !interpreter_ends()) {
    report(
        "freed-in-flight", access->op->name,
        c10::str(
            block.bytes, " bytes of stream ", block.stream, " are freed while ", access->op->name,
            at_place(access->place), " on stream ", access->moment.stream,
            access->written ? " may still write them" : " may still read them",
            "; call record_stream, or let the stream they came from wait first"));
  }
}

c10::DataPtr make_block(void* data, size_t bytes, c10::Storage owner) {
  auto* block = new Block(data, bytes, std::move(owner));
  return {data, block, &delete_block, kCard};
}

struct DeviceAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    ledger().add(bytes);
    void* data = nullptr;
    try {
      data = bytes ? c10::alloc_cpu(bytes) : nullptr;
    } catch (...) {
      ledger().remove(bytes);
      throw;
    }
    return make_block(data, bytes, {});
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

DeviceAllocator allocator;
REGISTER_ALLOCATOR(kHPU, &allocator);

}  // namespace

Block::Block(void* data, size_t bytes, c10::Storage owner)
    : data(data), bytes(bytes), owner(std::move(owner)), stream(current_stream()) {}

Block::~Block() {
  ledger().remove(bytes);
  if (bytes && sanitizing()) {
    report_unfinished(*this);
  }
  if (!owner) {
    c10::free_cpu(data);
  }
}

Block* block_of(const c10::Storage& storage) {
  if (!storage) {
    return nullptr;
  }
  const auto& pointer = storage.data_ptr();
  return pointer.get_deleter() == &delete_block ? static_cast<Block*>(pointer.get_context())
                                                : nullptr;
}

MemoryStats memory_stats() {
  return ledger().stats();
}

void reset_peak_memory() {
  ledger().reset_peak();
}

size_t restart_peak() {
  return ledger().restart_peak();
}

void set_memory_limit(size_t bytes) {
  ledger().set_limit(bytes);
}

c10::Allocator* device_allocator() {
  return &allocator;
}

c10::Storage adopt(const c10::Storage& host) {
  const size_t bytes = host.nbytes();
  void* data = const_cast<void*>(host.data());
  ledger().add(bytes);
  return {c10::Storage::use_byte_size_t(), bytes, make_block(data, bytes, host), &allocator, true};
}

}  // namespace porter
