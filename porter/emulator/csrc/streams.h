#pragma once

#include <c10/core/Stream.h>

namespace porter {

constexpr c10::StreamId kDefaultStream = 0;

// The calling thread's.
c10::StreamId current_stream();
void set_stream(c10::StreamId id);

c10::StreamId new_stream();

void synchronize();

// Between two events as torch.Event.event_id names them.
double elapsed_ms(const void* start, const void* end);

}  // namespace porter
