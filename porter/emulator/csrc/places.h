#pragma once

#include <string>

namespace porter {

// A line of the program under test.
struct Place {
  std::string file;
  int line = 0;
};

// Whether Python can't be asked any more.
bool interpreter_ends();

// Frames of files under this folder are passed over: torch's own, and those of this package.
void pass_over(std::string folder);

// Where this thread is in Python; no file where it runs none. Takes the interpreter's lock: never
// to be called with another one held.
Place current_place();

// The same, kept for as long as the process lives; null unless every op's place is wanted.
const Place* remembered_place();
void remember_places(bool wanted);

}  // namespace porter
