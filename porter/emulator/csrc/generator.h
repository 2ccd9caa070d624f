#pragma once

#include <ATen/core/Generator.h>

namespace porter {

const at::Generator& default_generator();
at::Generator new_generator();

// The generator that kernels of the CPU draw from in place of one of the device.
at::Generator host_generator(const at::Generator& generator);

}  // namespace porter
