#pragma once

#include <torch/csrc/distributed/c10d/Work.hpp>

#include <memory>

#include "aliases.h"

namespace porter {

// A collective under way on the aliases, for callers that hold tensors of the device: what it
// results in, they get as those tensors.
c10::intrusive_ptr<c10d::Work> on_device(
    c10::intrusive_ptr<c10d::Work> work, std::shared_ptr<Aliases> aliases);

}  // namespace porter
