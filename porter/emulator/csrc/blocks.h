#pragma once

#include <c10/core/Storage.h>

#include <vector>

#include "accesses.h"

namespace porter {

// An allocation of the device. What stands below `stream` wants the lock of `order_mutex`.
struct Block {
  Block(void* data, size_t bytes, c10::Storage owner);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void* const data;
  const size_t bytes;
  const c10::Storage owner;  // empty where the block owns its bytes itself
  const c10::StreamId stream;

  Accesses accesses;
  std::vector<c10::StreamId> told;  // by record_stream
  uint64_t graph = 0;               // the open graph that used it last, and its number there
  uint64_t number = 0;
  uint64_t written_in = 0;  // the open graph that wrote it last
};

// Null for a storage that is not of the device.
Block* block_of(const c10::Storage& storage);

}  // namespace porter
