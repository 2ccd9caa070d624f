#pragma once

#include <c10/core/Allocator.h>

namespace porter {

c10::Allocator* pinned_allocator();
bool is_pinned(const void* address);

}  // namespace porter
