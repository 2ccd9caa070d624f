// The functions that Python sees; the docstring of porter.emulator lists them.
#include <torch/csrc/utils/pybind.h>

#include "aliases.h"
#include "allocator.h"
#include "collectives.h"
#include "device.h"
#include "fallback.h"
#include "generator.h"
#include "indices.h"
#include "routing.h"
#include "streams.h"

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

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  route("aten", c10::KernelFunction::makeFromBoxedFunction<&run_on_host>());
  route("c10d", c10::KernelFunction::makeFromBoxedFunction<&run_collective>());
  module.def("memory_stats", &stats);
  module.def("reset_peak_memory", &reset_peak_memory);
  module.def("set_memory_limit", &set_memory_limit, py::arg("bytes"));
  module.def("current_stream", &current_stream);
  module.def("default_stream", [] { return kDefaultStream; });
  module.def("new_stream", &new_stream);
  module.def("set_stream", &set_stream, py::arg("stream_id"));
  module.def("synchronize", &synchronize, py::call_guard<py::gil_scoped_release>());
  module.def("elapsed_ms", &elapsed, py::arg("start_event_id"), py::arg("end_event_id"));
  module.def("default_generator", [] { return default_generator(); });
  module.def("host_alias", &host_alias, py::arg("tensor"));
  module.def("set_index_policy", &set_index_policy, py::arg("name"));
  module.def("index_counts", &index_counts);
}

}  // namespace porter
