#pragma once

namespace porter {

// Whether ops on tensors of the CPU are looked at: while copies are in flight.
void watch_host_ops(bool wanted);

}  // namespace porter
