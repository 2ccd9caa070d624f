#pragma once

#include <ATen/core/stack.h>

#include <optional>

#include "operators.h"
#include "regions.h"

namespace porter {

// What an op that is called with this stack touches of its first argument, where it picks rows of
// it by an index along the first dimension. Nothing where it doesn't, or where the index is a mask.
std::optional<Region> picked_rows(const Operator& op, const torch::jit::Stack& stack);

}  // namespace porter
