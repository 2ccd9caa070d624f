#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/SmallVector.h>

#include <utility>

namespace porter {

// The tensors of one call, as kernels of the CPU see them. No byte is copied: a tensor of the
// device and its alias share memory, storages that are one stay one (kernels look for overlap),
// and a tensor that is passed twice has one alias (in-place kernels look for identity).
class Aliases {
 public:
  at::Tensor to_host(const at::Tensor& tensor);

  // What a kernel returned: the argument itself, a view on an argument, or a new tensor.
  at::Tensor to_device(const at::Tensor& result);

  // Carries over what the kernel did to sizes and storages of its arguments (out=, resize_).
  void write_back();

 private:
  struct StoragePair {
    c10::Storage device;
    c10::Storage host;
  };
  struct TensorPair {
    at::Tensor device;
    at::Tensor host;
  };

  const c10::Storage& host_storage(const c10::Storage& device);
  const c10::Storage& device_storage(const c10::Storage& host);

  c10::SmallVector<TensorPair, 4> tensors_;
  c10::SmallVector<StoragePair, 4> arguments_;
  c10::SmallVector<StoragePair, 2> results_;
};

}  // namespace porter
