// Tensors of the device and of the CPU over the same bytes.
#include "aliases.h"

#include <c10/core/CPUAllocator.h>

#include "allocator.h"
#include "device.h"

namespace porter {
namespace {

void release_storage(void* storage) {
  c10::intrusive_ptr<c10::StorageImpl>::reclaim(static_cast<c10::StorageImpl*>(storage));
}

c10::Storage over_same_bytes(const c10::Storage& device) {
  auto* impl = device.unsafeGetStorageImpl();
  c10::raw::intrusive_ptr::incref(impl);
  c10::DataPtr data(
      const_cast<void*>(device.data()), impl, &release_storage, c10::Device(c10::DeviceType::CPU));
  return {
      c10::Storage::use_byte_size_t(), device.nbytes(), std::move(data), c10::GetCPUAllocator(),
      true};
}

at::Tensor over(const c10::Storage& storage, c10::DispatchKey key, const at::Tensor& like) {
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(storage), c10::DispatchKeySet(key), like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(
      like.sizes(), like.strides(), like.storage_offset());
  if (like.is_conj()) {
    tensor._set_conj(true);
  }
  if (like.is_neg()) {
    tensor._set_neg(true);
  }
  return tensor;
}

bool same_storage(const c10::Storage& left, const c10::Storage& right) {
  return left.unsafeGetStorageImpl() == right.unsafeGetStorageImpl();
}

bool same_geometry(const at::Tensor& left, const at::Tensor& right) {
  return left.sizes() == right.sizes() && left.strides() == right.strides() &&
      left.storage_offset() == right.storage_offset();
}

}  // namespace

at::Tensor Aliases::to_host(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.device().type() != kHPU) {
    return tensor;
  }
  for (const auto& pair : tensors_) {
    if (pair.device.is_same(tensor)) {
      return pair.host;
    }
  }
  auto host = over(host_storage(tensor.storage()), c10::DispatchKey::CPU, tensor);
  tensors_.push_back({tensor, host});
  return host;
}

at::Tensor Aliases::to_device(const at::Tensor& result) {
  if (!result.defined() || !result.is_cpu()) {
    return result;
  }
  for (const auto& pair : tensors_) {
    if (pair.host.is_same(result)) {
      return pair.device;
    }
  }
  TORCH_CHECK_NOT_IMPLEMENTED(
      result.layout() == at::kStrided && !result.is_quantized(),
      "the emulated device holds dense tensors only, not a ",
      result.is_quantized() ? "quantized" : c10::str(result.layout()), " result");
  return over(device_storage(result.storage()), c10::DispatchKey::HPU, result);
}

void Aliases::write_back() {
  for (const auto& [device, host] : arguments_) {
    if (device.data() != host.data() || device.nbytes() != host.nbytes()) {
      const auto adopted = adopt(host);
      auto* impl = device.unsafeGetStorageImpl();
      impl->set_nbytes(adopted.nbytes());
      impl->set_data_ptr_noswap(
          std::move(adopted.unsafeGetStorageImpl()->_mutable_data_ptr_no_checks()));
    }
  }
  for (const auto& [device, host] : tensors_) {
    if (!same_geometry(device, host)) {
      device.unsafeGetTensorImpl()->set_sizes_and_strides(
          host.sizes(), host.strides(), host.storage_offset());
    }
  }
}

const c10::Storage& Aliases::host_storage(const c10::Storage& device) {
  for (const auto& pair : arguments_) {
    if (same_storage(pair.device, device)) {
      return pair.host;
    }
  }
  return arguments_.emplace_back(StoragePair{device, over_same_bytes(device)}).host;
}

const c10::Storage& Aliases::device_storage(const c10::Storage& host) {
  for (const auto& pair : arguments_) {
    if (same_storage(pair.host, host)) {
      return pair.device;
    }
  }
  for (const auto& pair : results_) {
    if (same_storage(pair.host, host)) {
      return pair.device;
    }
  }
  return results_.emplace_back(StoragePair{adopt(host), host}).device;
}

}  // namespace porter
