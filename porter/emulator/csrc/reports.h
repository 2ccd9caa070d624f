#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "order.h"
#include "places.h"

namespace porter {

// A fault of the program under test, or (a note) a place that wants a look.
struct Report {
  std::string rule;
  std::string op;
  std::string message;
  Place place;
  bool note;
  size_t count;
};

// At the line where this thread is. One that was reported before is counted.
// Takes the interpreter's lock: never to be called with another one held.
void report(std::string_view rule, std::string_view op, std::string message);
void report_at(Place place, std::string_view rule, std::string_view op, std::string message);
void note(std::string_view rule, std::string_view op, std::string message);

// Called for each that is new, with no lock held.
void set_announcer(std::function<void()> announce);

std::vector<Report> reports();
void forget_reports();

// " (model.py:12)", or nothing.
std::string at_place(const Place* place);
// " on stream 2", or nothing for a collective, which has a name of its own.
std::string stream_name(c10::StreamId stream);

}  // namespace porter
