#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "operators.h"

namespace porter {

// The ops that the bridge lists, with the names of their dtypes; no name: not said.
void set_supported(const std::unordered_map<std::string, std::vector<std::string>>& ops);

// Notes, once, that a card would hand this op to the host, as far as the bridge's lists tell.
void note_support(Operator& op, c10::ScalarType dtype);

// From here on everything is noted once more.
void forget_notes();

}  // namespace porter
