#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace porter {

// What an index does that is out of range, or negative in an op that does not count from the end.
// "strict": IndexError. "lenient": a read yields zeros, a write is dropped, and each such index
// is counted. Raises ValueError for any other name.
void set_index_policy(const std::string& name);

// So many indices were out of range so far, by the name of the op.
std::map<std::string, int64_t> index_counts();

}  // namespace porter
