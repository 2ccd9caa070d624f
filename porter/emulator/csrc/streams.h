#pragma once

#include <c10/core/Stream.h>

#include "order.h"

namespace porter {

constexpr c10::StreamId kDefaultStream = 0;

// The calling thread's.
c10::StreamId current_stream();
void set_stream(c10::StreamId id);

// The next of 32, in turn: the bridge has no more.
c10::StreamId new_stream();

// The host knows that the streams have come so far; null for `reason` where it did not wait for it.
void host_waits(const Clock& until, const char* reason);

// The host waits; `reason` names what made it wait.
void synchronize(const char* reason);
void synchronize_stream(c10::StreamId id, const char* reason);

// Between two events as torch.Event.event_id names them.
double elapsed_ms(const void* start, const void* end);

}  // namespace porter
