// Graphs, waits and copies, counted. A graph is known by its ops, their operands' order, dtypes and
// shapes: enough to tell same from different, and not the key of a recipe of Gaudi's compiler.
#include "recorder.h"

#include <ATen/core/ivalue.h>

#include <atomic>
#include <bit>

namespace porter {
namespace {

std::atomic<bool> is_lazy{true};

Counts& totals() {
  static auto* const instance = new Counts;
  return *instance;
}

void mix(uint64_t& key, uint64_t value) {
  key = (key ^ (value + 0x9e3779b97f4a7c15ULL + (key << 6) + (key >> 2))) * 0xff51afd7ed558ccdULL;
}

uint64_t next_serial() {
  static uint64_t latest = 0;
  return ++latest;
}

}  // namespace

void OpenGraph::begin(const Operator& op) {
  if (ops_++ == 0) {
    serial_ = next_serial();
  }
  const auto name = reinterpret_cast<uintptr_t>(&op);
  mix(key_, name);
  mix(key_with_offsets_, name);
}

void OpenGraph::operand(const c10::TensorImpl& tensor, Block& block, bool written) {
  if (block.graph != serial_) {
    block.graph = serial_;
    block.number = ++blocks_;
  }
  if (written) {
    block.written_in = serial_;
  }
  uint64_t shape = block.number;
  mix(shape, static_cast<uint64_t>(c10::typeMetaToScalarType(tensor.dtype())));
  for (const auto size : tensor.sizes()) {
    mix(shape, static_cast<uint64_t>(size));
  }
  for (const auto stride : tensor.strides()) {
    mix(shape, ~static_cast<uint64_t>(stride));
  }
  mix(key_, shape);
  mix(key_with_offsets_, shape);
  mix(key_with_offsets_, static_cast<uint64_t>(tensor.storage_offset()));
}

void OpenGraph::value(const c10::IValue& value) {
  if (value.isInt()) {
    constant(static_cast<uint64_t>(value.toInt()));
  } else if (value.isBool()) {
    constant(value.toBool());
  } else if (value.isDouble()) {
    constant(std::bit_cast<uint64_t>(value.toDouble()));
  } else if (value.isIntList()) {
    for (const int64_t element : value.toIntList()) {
      constant(static_cast<uint64_t>(element));
    }
  }
}

void OpenGraph::constant(uint64_t bits) {
  mix(key_with_offsets_, bits);
}

void OpenGraph::flush(const char* reason) {
  if (ops_ == 0) {
    return;
  }
  auto& counted = totals();
  ++counted.graphs[key_];
  ++counted.graphs_with_offsets[key_with_offsets_];
  ++counted.flushes[reason];
  *this = OpenGraph();
}

OpenGraph& open_graph() {
  thread_local OpenGraph graph;
  return graph;
}

void flush_graph(const char* reason) {
  std::lock_guard lock(order_mutex());
  open_graph().flush(reason);
}

Counts counts() {
  std::lock_guard lock(order_mutex());
  return totals();
}

void count_copy(Direction direction, uint64_t bytes) {
  auto& traffic = totals().copies[static_cast<size_t>(direction)];
  ++traffic.count;
  traffic.bytes += bytes;
}

void count_copy_on_device(uint64_t bytes) {
  std::lock_guard lock(order_mutex());
  count_copy(Direction::OnDevice, bytes);
}

void count_sync(const char* reason) {
  ++totals().syncs[reason];
}

bool lazy() {
  return is_lazy.load(std::memory_order_relaxed);
}

void set_lazy(bool lazy) {
  is_lazy = lazy;
}

}  // namespace porter
