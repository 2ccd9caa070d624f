#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/Storage.h>

namespace porter {

struct MemoryStats {
  size_t allocated;
  size_t peak;
  size_t recent_peak;
  size_t limit;
  size_t allocations;
  size_t frees;
};

MemoryStats memory_stats();
void reset_peak_memory();
// Returns the recent peak and starts it again; the recorder's, as the other is the program's.
size_t restart_peak();
void set_memory_limit(size_t bytes);

c10::Allocator* device_allocator();

// A storage of the device over the bytes of a storage of the CPU, which it keeps alive.
// Counts against the limit like any other allocation.
c10::Storage adopt(const c10::Storage& host);

}  // namespace porter
