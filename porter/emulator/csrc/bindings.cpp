// The functions that Python sees; the docstring of porter.emulator lists them.
#include <torch/csrc/utils/pybind.h>

#include "aliases.h"
#include "allocator.h"
#include "collectives.h"
#include "device.h"
#include "fallback.h"
#include "generator.h"
#include "in_flight.h"
#include "indices.h"
#include "observation.h"
#include "operators.h"
#include "places.h"
#include "recorder.h"
#include "reports.h"
#include "routing.h"
#include "streams.h"
#include "support.h"
#include "tape.h"

namespace porter {
namespace {

namespace py = pybind11;

py::dict stats() {
  const auto stats = memory_stats();
  py::dict result;
  result["allocated"] = stats.allocated;
  result["peak"] = stats.peak;
  result["limit"] = stats.limit;
  result["allocations"] = stats.allocations;
  result["frees"] = stats.frees;
  return result;
}

at::Tensor host_alias(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.device().type() == kHPU, "host_alias: not on hpu but on ", tensor.device());
  return Aliases().to_host(tensor);
}

// An event of Python is named by the address of the device's own.
double elapsed(uintptr_t start, uintptr_t end) {
  return elapsed_ms(reinterpret_cast<const void*>(start), reinterpret_cast<const void*>(end));
}

}  // namespace

py::dict counted() {
  const auto counted = counts();
  py::dict ops;
  for_each_operator([&](const Operator& op) {
    if (const auto calls = op.calls.load()) {
      ops[py::str(op.name)] = calls;
    }
  });
  py::dict copies;
  constexpr std::array<const char*, 3> directions{"h2d", "d2h", "d2d"};
  for (size_t i = 0; i < directions.size(); ++i) {
    copies[directions[i]] = py::make_tuple(counted.copies[i].count, counted.copies[i].bytes);
  }
  py::dict result;
  result["graphs"] = counted.graphs;
  result["graphs_with_offsets"] = counted.graphs_with_offsets;
  result["flushes"] = counted.flushes;
  result["syncs"] = counted.syncs;
  result["copies"] = copies;
  result["ops"] = ops;
  return result;
}

py::list found() {
  py::list result;
  for (const auto& report : reports()) {
    result.append(py::make_tuple(
        report.rule, report.op, report.message, report.place.file, report.place.line, report.note,
        report.count));
  }
  return result;
}

void configure(const std::string& asynchrony, bool lazy, bool sanitize, bool places) {
  const std::map<std::string, Asynchrony> names{
      {"off", Asynchrony::Off}, {"pinned", Asynchrony::Pinned}, {"all", Asynchrony::All}};
  set_asynchrony(names.at(asynchrony));
  set_lazy(lazy);
  set_sanitizing(sanitize);
  remember_places(places);
}

void announce_to(py::function listener) {
  // Never destroyed: it may outlive the interpreter.
  auto* const kept = new py::function(std::move(listener));
  set_announcer([kept] {
    if (interpreter_ends()) {
      return;
    }
    py::gil_scoped_acquire lock;
    py::error_scope pending;
    try {
      (*kept)();
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("porter.emulator: a listener for reports");
    }
  });
}

void host_reads(const at::Tensor& tensor, const std::string& op) {
  check_host_access(tensor, false, op);
}

void address_taken(const c10::Storage& storage, const std::string& op) {
  auto* block = block_of(storage);
  if (!block || !lazy() || !sanitizing()) {
    return;
  }
  bool early = false;
  {
    std::lock_guard lock(order_mutex());
    early = block->written_in && block->written_in == open_graph().serial();
  }
  if (early) {
    report(
        "address-before-flush", op,
        op + " of a tensor on hpu that ops not launched yet will write: in lazy mode there may be "
             "no memory behind it; call mark_step and synchronize before");
  }
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  const py::call_guard<py::gil_scoped_release> no_gil;
  route("aten", &host_kernel);
  route("c10d", [](const c10::OperatorHandle& /*op*/) {
    return c10::KernelFunction::makeFromBoxedFunction<&run_collective>();
  });
  module.def("memory_stats", &stats);
  module.def("restart_peak", &restart_peak);
  module.def("reset_peak_memory", &reset_peak_memory);
  module.def("set_memory_limit", &set_memory_limit, py::arg("bytes"));
  module.def("current_stream", &current_stream);
  module.def("default_stream", [] { return kDefaultStream; });
  module.def("new_stream", &new_stream);
  module.def("set_stream", &set_stream, py::arg("stream_id"));
  module.def("synchronize", &synchronize, py::arg("reason") = "synchronize", no_gil);
  module.def("elapsed_ms", &elapsed, py::arg("start_event_id"), py::arg("end_event_id"));
  module.def("default_generator", [] { return default_generator(); });
  module.def("configure", &configure, py::arg("asynchrony"), py::arg("lazy"), py::arg("sanitize"),
             py::arg("places"));
  module.def("set_supported", &set_supported, py::arg("ops"));
  module.def("pass_over", &pass_over, py::arg("folder"));
  module.def("flush_graph", &flush_graph, py::arg("reason"), no_gil);
  module.def("counts", &counted);
  module.def("reports", &found);
  module.def("forget_reports", [] {
    forget_reports();
    forget_notes();
  });
  module.def("report", [](const std::string& rule, const std::string& op, std::string message) {
    report(rule, op, std::move(message));
  });
  module.def("note", [](const std::string& rule, const std::string& op, std::string message) {
    note(rule, op, std::move(message));
  });
  py::class_<Tape, std::shared_ptr<Tape>>(module, "Tape")
      .def(py::init<>())
      .def("play", &Tape::play, no_gil);
  module.def("begin_capture", &begin_capture, py::arg("tape"));
  module.def("end_capture", &end_capture);
  module.def("is_capturing", [] { return capturing() != nullptr; });
  module.def("announce_to", &announce_to, py::arg("listener"));
  module.def("current_place", [] {
    const auto place = current_place();
    return py::make_tuple(place.file, place.line);
  });
  module.def("anything_in_flight", &anything_in_flight);
  module.def("host_reads", &host_reads, py::arg("tensor"), py::arg("op"));
  module.def("address_taken", [](const at::Tensor& tensor, const std::string& op) {
    address_taken(tensor.storage(), op);
  });
  module.def("host_alias", &host_alias, py::arg("tensor"));
  module.def("set_index_policy", &set_index_policy, py::arg("name"));
  module.def("index_counts", &index_counts);
}

}  // namespace porter
