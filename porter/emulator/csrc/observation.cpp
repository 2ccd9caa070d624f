// What every op goes through on its way to its kernel.
#include "observation.h"

#include <cstring>

#include "integers.h"
#include "reports.h"
#include "support.h"
#include "tape.h"

namespace porter {
namespace {

std::atomic<bool> is_on{true};

bool is_mask(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBool || tensor.scalar_type() == at::kByte;
}

// x * 2: the 2 is part of the graph.
bool is_constant(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_cpu() && tensor.dim() == 0 &&
      tensor.unsafeGetTensorImpl()->is_wrapped_number();
}

uint64_t bits_of(const at::Tensor& number) {
  uint64_t bits = 0;
  std::memcpy(&bits, number.const_data_ptr(), std::min(number.nbytes(), sizeof(bits)));
  return bits;
}

}  // namespace

bool sanitizing() {
  return is_on.load(std::memory_order_relaxed);
}

void set_sanitizing(bool on) {
  is_on = on;
}

void Observation::operand(const at::Tensor& tensor, bool written, bool index) {
  auto* block = tensor.defined() && tensor.has_storage() ? block_of(tensor.storage()) : nullptr;
  if (block) {
    operands_.push_back({tensor, block, written});
    masked_ |= index && is_mask(tensor);
  } else if (is_constant(tensor)) {
    constants_.push_back(bits_of(tensor));
  }
}

Observation Observation::again() const {
  Observation next(op_);
  next.operands_ = operands_;
  next.constants_ = constants_;
  next.masked_ = masked_;
  next.narrowed_ = narrowed_;
  return next;
}

void Observation::start_on(c10::StreamId stream) {
  op_.calls.fetch_add(1, std::memory_order_relaxed);
  if (op_.view) {
    return;
  }
  const bool waits = op_.waits || masked_;
  if (waits) {
    refuse_while_capturing(op_.name);
  }
  place_ = sanitizing() ? remembered_place() : nullptr;
  {
    std::lock_guard lock(order_mutex());
    if (stream != current_stream()) {
      order().stream_waits(stream, order().of(current_stream()));
    }
    moment_ = order().tick(stream);
    auto& graph = open_graph();
    graph.begin(op_);
    for (const auto* value : values_) {
      graph.value(*value);
    }
    for (const auto constant : constants_) {
      graph.constant(constant);
    }
    for (const auto& operand : operands_) {
      graph.operand(*operand.tensor.unsafeGetTensorImpl(), *operand.block, operand.written);
      touch(operand);
    }
    if (!lazy()) {
      graph.flush("eager op");
    }
  }
  report_races();
  for (const auto& operand : operands_) {
    note_support(op_, operand.tensor.scalar_type());
  }
  if (waits) {
    synchronize_stream(current_stream(), op_.name.c_str());
  }
}

void Observation::start_transfer(Direction direction, uint64_t bytes, const char* reason) {
  if (direction == Direction::ToHost) {
    refuse_while_capturing("a copy to the host");
  }
  place_ = sanitizing() ? remembered_place() : nullptr;
  {
    std::lock_guard lock(order_mutex());
    moment_ = order().tick(current_stream());
    count_copy(direction, bytes);
    for (const auto& operand : operands_) {
      touch(operand);
    }
    if (direction == Direction::ToHost) {
      open_graph().flush(reason);
    }
  }
  report_races();
}

void Observation::finish() {
  for (const auto& operand : operands_) {
    if (operand.written) {
      check_int64(operand.tensor, op_);
    }
  }
}

void Observation::result(const at::Tensor& tensor) {
  auto* block = tensor.defined() ? block_of(tensor.storage()) : nullptr;
  if (!block || !sanitizing() || op_.view) {
    return;
  }
  {
    std::lock_guard lock(order_mutex());
    block->written_in = open_graph().serial();
    if (block->accesses.none()) {
      block->accesses.add({Region::of(*tensor.unsafeGetTensorImpl()), moment_, true, &op_, place_});
    }
  }
  check_int64(tensor, op_);
}

void Observation::touch(const Operand& operand) {
  if (!sanitizing() || (!op_.reads && !operand.written)) {
    return;
  }
  const bool narrowed = narrowed_ && &operand == operands_.begin();
  auto region = narrowed ? *narrowed_ : Region::of(*operand.tensor.unsafeGetTensorImpl());
  auto conflict = operand.block->accesses.add(
      {std::move(region), moment_, operand.written, &op_, place_});
  if (conflict) {
    races_.push_back({std::move(*conflict), operand.written});
  }
}

void Observation::report_races() const {
  for (const auto& [earlier, written] : races_) {
    report(
        "stream-race", op_.name,
        c10::str(
            op_.name, stream_name(moment_.stream), written ? " writes" : " reads", " what ",
            earlier.op->name, at_place(earlier.place), stream_name(earlier.moment.stream),
            earlier.written ? " writes" : " still reads", ", and nothing orders the two; ",
            earlier.moment.stream == kCollectives
                ? "call wait() of its work on this stream"
                : "let this stream wait for the other one, or for an event recorded on it"));
  }
}

}  // namespace porter
