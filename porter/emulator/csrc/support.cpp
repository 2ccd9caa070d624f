// What the bridge's own lists know of ops and dtypes.
#include "support.h"

#include <c10/util/StringUtil.h>

#include "reports.h"

namespace porter {
namespace {

constexpr uint64_t kOpItself = uint64_t{1} << 63;
constexpr uint64_t kNotSaid = ~kOpItself;

std::unordered_map<std::string, uint64_t>& supported() {
  static auto* const instance = new std::unordered_map<std::string, uint64_t>;
  return *instance;
}

uint64_t bit(c10::ScalarType dtype) {
  return uint64_t{1} << static_cast<unsigned>(dtype);
}

uint64_t mask_of(const std::vector<std::string>& names) {
  uint64_t mask = names.empty() ? kNotSaid : 0;
  for (int i = 0; i < static_cast<int>(c10::ScalarType::NumOptions); ++i) {
    const auto dtype = static_cast<c10::ScalarType>(i);
    for (const auto& name : names) {
      if (name == c10::toString(dtype)) {
        mask |= bit(dtype);
      }
    }
  }
  return mask;
}

// No list has these: complex numbers don't exist there, and float64 is held as float32.
bool exists_nowhere(c10::ScalarType dtype) {
  return c10::isComplexType(dtype) || dtype == c10::ScalarType::Double;
}

}  // namespace

void set_supported(const std::unordered_map<std::string, std::vector<std::string>>& ops) {
  for (const auto& [name, dtypes] : ops) {
    supported()[name] = mask_of(dtypes);
  }
}

void note_support(Operator& op, c10::ScalarType dtype) {
  const uint64_t asked = kOpItself | bit(dtype);
  if ((op.noted.load(std::memory_order_relaxed) & asked) == asked || supported().empty()) {
    return;
  }
  // The lists are of aten's ops.
  if (op.name.rfind("c10d::", 0) == 0) {
    return;
  }
  const uint64_t before = op.noted.fetch_or(asked);
  const auto listed = supported().find(op.name);
  if (listed == supported().end() && !op.composed && !(before & kOpItself)) {
    note(
        "cpu-fallback", op.name,
        c10::str(op.name, " is not among the ops that the bridge lists: a card would probably "
                          "compute it on the host, with a copy each way"));
  }
  const bool lacks_dtype = exists_nowhere(dtype) ||
      (listed != supported().end() && !(listed->second & bit(dtype)));
  if (lacks_dtype && !(before & bit(dtype))) {
    note(
        "cpu-fallback", op.name,
        c10::str(op.name, " with ", c10::toString(dtype), ": the bridge doesn't list this dtype "
                 "for it; a card would narrow it or compute on the host"));
  }
}

void forget_notes() {
  for_each_operator([](Operator& op) { op.noted = 0; });
}

}  // namespace porter
