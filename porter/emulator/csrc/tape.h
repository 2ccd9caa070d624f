#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace porter {

// The work of a captured graph: each piece does again, on the same memory, what it did then.
class Tape {
 public:
  void add(std::function<void()> work) {
    work_.push_back(std::move(work));
  }
  void play() const {
    for (const auto& work : work_) {
      work();
    }
  }

 private:
  std::vector<std::function<void()>> work_;
};

// The tape that this thread's ops go onto; null unless it captures.
Tape* capturing();

// Both raise RuntimeError where it makes no sense.
void begin_capture(std::shared_ptr<Tape> tape);
void end_capture();

// Raises RuntimeError while this thread captures: `work` can't be a part of a graph.
void refuse_while_capturing(std::string_view work);

}  // namespace porter
