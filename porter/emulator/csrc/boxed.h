#pragma once

#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace porter {

// Replaces each tensor in a boxed value (a tensor, a list, a list of lists) by change(tensor).
// Lists are made anew: the caller may hold the old one.
template <typename Change>
void map_tensors(c10::IValue& value, const Change& change) {
  if (value.isTensor()) {
    value = change(value.toTensor());
  } else if (value.isTensorList()) {
    const auto list = value.toTensorList();
    c10::List<at::Tensor> changed;
    changed.reserve(list.size());
    for (size_t i = 0; i < list.size(); ++i) {
      changed.push_back(change(list.get(i)));
    }
    value = std::move(changed);
  } else if (value.isList()) {
    const auto list = value.toList();
    const auto kind = list.elementType()->kind();
    if (kind != c10::TypeKind::OptionalType && kind != c10::TypeKind::ListType) {
      return;
    }
    auto changed = c10::impl::GenericList(list.elementType());
    changed.reserve(list.size());
    for (size_t i = 0; i < list.size(); ++i) {
      c10::IValue element = list.get(i);
      map_tensors(element, change);
      changed.push_back(std::move(element));
    }
    value = std::move(changed);
  }
}

}  // namespace porter
