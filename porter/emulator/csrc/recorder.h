#pragma once

#include <c10/core/TensorImpl.h>

#include <array>
#include <map>
#include <string>
#include <unordered_map>

#include "blocks.h"
#include "operators.h"

namespace c10 {
struct IValue;
}

namespace porter {

enum class Direction { ToDevice, ToHost, OnDevice };

struct Traffic {
  uint64_t count = 0;
  uint64_t bytes = 0;
};

// Everything that was counted since the process began; a recording is the difference of two.
struct Counts {
  // Keys of launched graphs, and how often. The second kind of key knows offsets and numbers too.
  std::unordered_map<uint64_t, uint64_t> graphs;
  std::unordered_map<uint64_t, uint64_t> graphs_with_offsets;
  std::map<std::string, uint64_t> flushes;  // launches by what cut the graph
  std::map<std::string, uint64_t> syncs;    // waits of the host by what waited
  std::array<Traffic, 3> copies;            // by Direction
};

// The graph that this thread's ops join: in lazy mode until something cuts it, in eager mode for
// the length of one op. Wants the lock of `order_mutex`.
class OpenGraph {
 public:
  void begin(const Operator& op);
  void operand(const c10::TensorImpl& tensor, Block& block, bool written);
  void value(const c10::IValue& value);
  void constant(uint64_t bits);
  void flush(const char* reason);

  uint64_t serial() const {
    return serial_;
  }

 private:
  uint64_t key_ = 0;
  uint64_t key_with_offsets_ = 0;
  uint64_t ops_ = 0;
  uint64_t blocks_ = 0;
  uint64_t serial_ = 0;  // 0: nothing in it
};

OpenGraph& open_graph();

// These take the lock.
void flush_graph(const char* reason);
Counts counts();

void count_copy_on_device(uint64_t bytes);

// Both want the lock.
void count_copy(Direction direction, uint64_t bytes);
void count_sync(const char* reason);

bool lazy();
void set_lazy(bool lazy);

}  // namespace porter
