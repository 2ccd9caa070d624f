#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace c10 {
class OperatorHandle;
}

namespace porter {

// What the dispatcher knows of an op, read off its schema once instead of at each call.
struct Operator {
  struct Argument {
    bool written;
    bool number;     // a Scalar, as against an int
    bool generator;  // where None stands for the device's own
  };

  explicit Operator(const c10::OperatorHandle& handle);

  std::string name;  // with the overload: "aten::add.Tensor"
  std::vector<Argument> arguments;
  bool view;             // returns memory of an argument and reads none of it
  bool reads;            // looks at the values of its arguments, not at their shapes alone
  bool waits;            // the host needs values to know the result or its shape
  bool waits_for_masks;  // only where an index is a mask
  bool host_indices;     // accepts indices on the CPU, as for any device
  std::optional<size_t> row_index;  // the argument that picks rows of the first one
  bool copies_rows;      // writes rows by their number: see row_copies.h
  bool composed;         // has a kernel made of other ops, for a device that lacks its own
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> noted{0};  // what support.cpp has looked at
};

// One for each op, for as long as the process lives.
Operator& known(const c10::OperatorHandle& handle);
Operator& known(const char* name, const char* overload = "");

void for_each_operator(const std::function<void(Operator&)>& visit);

}  // namespace porter
