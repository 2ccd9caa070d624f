// The ops that were called so far, and what their schemas say.
#include "operators.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>

namespace porter {
namespace {

template <size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 5> kIndexing{
    "aten::index", "aten::_unsafe_index", "aten::index_put_", "aten::_index_put_impl_",
    "aten::_unsafe_index_put"};

// Factories: they take the shape of a tensor, or of none.
constexpr std::array<std::string_view, 16> kShapeOnly{
    "aten::empty_like", "aten::zeros_like", "aten::ones_like", "aten::full_like",
    "aten::rand_like", "aten::randn_like", "aten::randint_like", "aten::new_empty",
    "aten::new_zeros", "aten::new_ones", "aten::new_full", "aten::new_empty_strided",
    "aten::resize_", "aten::resize_as_", "aten::set_", "aten::record_stream"};

// The first argument is touched in the rows that another one names.
constexpr std::array<std::string_view, 5> kByRows{
    "aten::index_select", "aten::index_copy_", "aten::index_add_", "aten::index_fill_",
    "aten::index_reduce_"};

std::optional<size_t> row_index_of(std::string_view name) {
  if (among(kByRows, name)) {
    return 2;
  }
  if (name == "aten::embedding" || (among(kIndexing, name) && name != "aten::_unsafe_index_put")) {
    return 1;
  }
  return std::nullopt;
}

bool has_tag(const c10::OperatorHandle& handle, at::Tag tag) {
  const auto tags = handle.getTags();
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool is_written(const c10::Argument& argument) {
  return argument.alias_info() && argument.alias_info()->isWrite();
}

bool is_view(const c10::FunctionSchema& schema) {
  return std::any_of(
      schema.returns().begin(), schema.returns().end(), [](const c10::Argument& result) {
        return result.alias_info() && !result.alias_info()->isWrite();
      });
}

bool holds(const c10::Argument& argument, c10::TypeKind kind) {
  const auto optional = argument.type()->cast<c10::OptionalType>();
  return (optional ? optional->getElementType() : argument.type())->kind() == kind;
}

bool is_composed(const c10::OperatorHandle& handle) {
  return handle.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd) ||
      handle.hasKernelForDispatchKey(c10::DispatchKey::CompositeExplicitAutograd) ||
      handle.hasKernelForDispatchKey(c10::DispatchKey::CompositeExplicitAutogradNonFunctional);
}

class Registry {
 public:
  Operator& find(const c10::OperatorHandle& handle) {
    {
      std::shared_lock lock(mutex_);
      if (const auto found = operators_.find(handle.operator_name()); found != operators_.end()) {
        return *found->second;
      }
    }
    auto made = std::make_unique<Operator>(handle);
    std::unique_lock lock(mutex_);
    return *operators_.try_emplace(handle.operator_name(), std::move(made)).first->second;
  }

  void visit(const std::function<void(Operator&)>& visit) {
    std::shared_lock lock(mutex_);
    for (const auto& entry : operators_) {
      visit(*entry.second);
    }
  }

 private:
  std::shared_mutex mutex_;
  std::unordered_map<c10::OperatorName, std::unique_ptr<Operator>> operators_;
};

Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

}  // namespace

Operator::Operator(const c10::OperatorHandle& handle) : name(c10::toString(handle.operator_name())) {
  const auto& schema = handle.schema();
  const std::string_view base = schema.name();
  for (const auto& argument : schema.arguments()) {
    arguments.push_back(
        {is_written(argument), holds(argument, c10::TypeKind::NumberType),
         argument.name() == "generator" || holds(argument, c10::TypeKind::GeneratorType)});
  }
  view = is_view(schema);
  reads = !view && !among(kShapeOnly, base);
  host_indices = among(kIndexing, base);
  waits_for_masks = host_indices;
  waits = !host_indices &&
      (has_tag(handle, at::Tag::dynamic_output_shape) ||
       has_tag(handle, at::Tag::data_dependent_output));
  row_index = row_index_of(base);
  copies_rows = base == "aten::index_copy_";
  composed = is_composed(handle);
}

Operator& known(const c10::OperatorHandle& handle) {
  return registry().find(handle);
}

Operator& known(const char* name, const char* overload) {
  return known(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
}

void for_each_operator(const std::function<void(Operator&)>& visit) {
  registry().visit(visit);
}

}  // namespace porter
