// What was found, in the order it was found in.
#include "reports.h"

#include <algorithm>
#include <mutex>

namespace porter {
namespace {

std::mutex& mutex() {
  static auto* const instance = new std::mutex;
  return *instance;
}

std::vector<Report>& found() {
  static auto* const instance = new std::vector<Report>;
  return *instance;
}

std::function<void()>& announcer() {
  static auto* const instance = new std::function<void()>;
  return *instance;
}

bool is_new(Report report) {
  std::lock_guard lock(mutex());
  const auto same = std::find_if(found().begin(), found().end(), [&](const Report& old) {
    return old.rule == report.rule && old.op == report.op && old.place.line == report.place.line &&
        old.place.file == report.place.file;
  });
  if (same != found().end()) {
    ++same->count;
    return false;
  }
  found().push_back(std::move(report));
  return true;
}

void add(Report report) {
  if (is_new(std::move(report)) && announcer()) {
    announcer()();
  }
}

}  // namespace

void report(std::string_view rule, std::string_view op, std::string message) {
  report_at(current_place(), rule, op, std::move(message));
}

void report_at(Place place, std::string_view rule, std::string_view op, std::string message) {
  add({std::string(rule), std::string(op), std::move(message), std::move(place), false, 1});
}

void note(std::string_view rule, std::string_view op, std::string message) {
  add({std::string(rule), std::string(op), std::move(message), current_place(), true, 1});
}

void set_announcer(std::function<void()> announce) {
  announcer() = std::move(announce);
}

std::vector<Report> reports() {
  std::lock_guard lock(mutex());
  return found();
}

void forget_reports() {
  std::lock_guard lock(mutex());
  found().clear();
}

std::string at_place(const Place* place) {
  return place && place->line ? " (" + place->file + ":" + std::to_string(place->line) + ")" : "";
}


std::string stream_name(c10::StreamId stream) {
  return stream == kCollectives ? "" : " on stream " + std::to_string(stream);
}

}  // namespace porter
