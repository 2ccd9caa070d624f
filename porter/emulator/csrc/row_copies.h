#pragma once

#include <ATen/core/stack.h>

namespace porter {

// index_copy_ of whole rows, for arguments of the CPU on the stack: a row is copied at once, where
// the CPU's own kernel goes element by element. False, and nothing is done, for all other shapes.
bool copy_rows(torch::jit::Stack& stack);

}  // namespace porter
