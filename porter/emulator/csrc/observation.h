#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/SmallVector.h>

#include "blocks.h"
#include "operators.h"
#include "recorder.h"
#include "streams.h"

namespace porter {

// One op on the device, as sanitizer and recorder see it: what it is called with, its start, and
// what comes out.
class Observation {
 public:
  explicit Observation(Operator& op) : op_(op) {}

  // `index`: a mask among these makes the host wait for the number of its elements.
  void operand(const at::Tensor& tensor, bool written, bool index = false);
  // Of the first operand only this is touched.
  void narrow(std::optional<Region> region) {
    narrowed_ = std::move(region);
  }
  // A number or the like; it must live until the start.
  void value(const c10::IValue& value) {
    values_.push_back(&value);
  }

  // The op joins its stream and its graph, and what it races with is reported. An op whose result
  // the host needs cuts the graph, and the host waits.
  void start() {
    start_on(current_stream());
  }
  // A stream of the device's own waits for the current one first.
  void start_on(c10::StreamId stream);
  // A copy between host and device joins the stream alone; one to the host cuts the graph.
  void start_transfer(Direction direction, uint64_t bytes, const char* reason);
  void finish();

  void result(const at::Tensor& tensor);

  // For the same op once more: its tensors without its numbers, and each as a whole, since an
  // index may hold other rows by then.
  Observation again() const;

  const Moment& moment() const {
    return moment_;
  }

 private:
  struct Operand {
    at::Tensor tensor;
    Block* block;
    bool written;
  };
  struct Race {
    Access earlier;
    bool written;
  };

  void touch(const Operand& operand);
  void report_races() const;

  Operator& op_;
  c10::SmallVector<Operand, 4> operands_;
  c10::SmallVector<const c10::IValue*, 8> values_;
  c10::SmallVector<uint64_t, 2> constants_;  // numbers that came as tensors of the CPU
  c10::SmallVector<Race, 1> races_;
  std::optional<Region> narrowed_;
  Moment moment_;
  const Place* place_ = nullptr;
  bool masked_ = false;
};

// Whether faults are looked for. The recorder counts in any case.
bool sanitizing();
void set_sanitizing(bool on);

}  // namespace porter
