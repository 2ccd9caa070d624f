// The caller's line, read off the frames of the interpreter.
#include "places.h"

#include <Python.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace porter {
namespace {

std::atomic<bool> every_op{false};

std::vector<std::string>& passed_over() {
  static auto* const folders = new std::vector<std::string>;
  return *folders;
}

bool is_passed_over(std::string_view file) {
  return file.substr(0, 1) == "<" ||
      std::any_of(passed_over().begin(), passed_over().end(), [&](const std::string& folder) {
        return file.substr(0, folder.size()) == folder;
      });
}

std::string_view file_of(PyCodeObject* code) {
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(code->co_filename, &length);
  if (!text) {
    PyErr_Clear();
    return {};
  }
  return {text, static_cast<size_t>(length)};
}

// Takes over the reference to `frame`.
Place first_of_program(PyFrameObject* frame) {
  Place place;
  while (frame) {
    auto* code = PyFrame_GetCode(frame);
    if (const auto file = file_of(code); !is_passed_over(file)) {
      place = {std::string(file), PyFrame_GetLineNumber(frame)};
    }
    Py_DECREF(code);
    auto* caller = place.line ? nullptr : PyFrame_GetBack(frame);
    Py_DECREF(frame);
    frame = caller;
  }
  return place;
}

}  // namespace

bool interpreter_ends() {
#if PY_VERSION_HEX >= 0x030D0000
  return !Py_IsInitialized() || Py_IsFinalizing();
#else
  return !Py_IsInitialized() || _Py_IsFinalizing();
#endif
}

void pass_over(std::string folder) {
  passed_over().push_back(std::move(folder));
}

Place current_place() {
  // A thread that is not Python's has no frames.
  if (interpreter_ends() || !PyGILState_GetThisThreadState()) {
    return {};
  }
  const auto lock = PyGILState_Ensure();
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  auto place = first_of_program(PyThreadState_GetFrame(PyGILState_GetThisThreadState()));
  PyErr_Restore(type, value, trace);
  PyGILState_Release(lock);
  return place;
}

const Place* remembered_place() {
  if (!every_op.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  static auto* const places = new std::map<std::pair<std::string, int>, Place>;
  static auto* const mutex = new std::mutex;
  auto place = current_place();
  std::lock_guard lock(*mutex);
  const auto key = std::pair(place.file, place.line);
  return &places->try_emplace(key, std::move(place)).first->second;
}

void remember_places(bool wanted) {
  every_op = wanted;
}

}  // namespace porter
