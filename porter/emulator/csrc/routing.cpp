// Explicit kernels for ops that nobody wrote one for.
#include "routing.h"

#include <algorithm>
#include <vector>

namespace porter {
namespace {

bool takes_storage_or_stream(const c10::FunctionSchema& schema) {
  return std::any_of(
      schema.arguments().begin(), schema.arguments().end(), [](const c10::Argument& argument) {
        const auto kind = argument.type()->kind();
        return kind == c10::TypeKind::StorageType || kind == c10::TypeKind::StreamObjType;
      });
}

bool wants_kernel(const c10::OperatorHandle& op) {
  return op.hasSchema() && op.hasKernelForDispatchKey(c10::DispatchKey::CPU) &&
      !op.hasKernelForDispatchKey(c10::DispatchKey::HPU) && !takes_storage_or_stream(op.schema());
}

}  // namespace

void route(std::string_view library, MakeKernel make_kernel) {
  // Never destroyed: the kernels stay for as long as the process.
  static auto* const registrations = new std::vector<c10::RegistrationHandleRAII>;
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& name : dispatcher.getAllOpNames()) {
    const auto op = dispatcher.findOp(name);
    if (name.getNamespace() == library && op && wants_kernel(*op)) {
      registrations->push_back(dispatcher.registerImpl(
          name, c10::DispatchKey::HPU, make_kernel(*op), std::nullopt, nullptr, "porter"));
    }
  }
}

}  // namespace porter
