#pragma once

#include <ATen/core/Tensor.h>

#include "operators.h"

namespace porter {

// Reports values that a card in lazy mode would not hold: it keeps int64 in 32 bits.
void check_int64(const at::Tensor& tensor, const Operator& op);

// Gives fresh int64 memory values that fit, so that what lies there by chance is never reported.
void settle_int64(const at::Tensor& tensor);

}  // namespace porter
