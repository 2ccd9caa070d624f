// Capture and replay.
#include "tape.h"

#include <c10/util/Exception.h>

namespace porter {
namespace {

thread_local std::shared_ptr<Tape> current;

}  // namespace

Tape* capturing() {
  return current.get();
}

void begin_capture(std::shared_ptr<Tape> tape) {
  TORCH_CHECK(!current, "this thread captures a graph already");
  current = std::move(tape);
}

void end_capture() {
  TORCH_CHECK(current, "this thread captures no graph");
  current.reset();
}

void refuse_while_capturing(std::string_view work) {
  TORCH_CHECK(!current, work, " while a graph is captured: the host can't take part in a graph");
}

}  // namespace porter
