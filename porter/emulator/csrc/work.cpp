// What a collective gives back before it is done.
#include "work.h"

#include <utility>

#include <c10/core/StreamGuard.h>

#include "boxed.h"
#include "device.h"
#include "order.h"
#include "streams.h"

namespace porter {
namespace {

using c10::ivalue::Future;

class DeviceWork final : public c10d::Work {
 public:
  DeviceWork(c10::intrusive_ptr<c10d::Work> host, std::shared_ptr<Aliases> aliases)
      : Work(-1, host->retrieveOpType()), host_(std::move(host)), aliases_(std::move(aliases)) {
    std::lock_guard lock(order_mutex());
    done_ = order().of(kCollectives);
  }

  bool isCompleted() override {
    const bool completed = host_->isCompleted();
    if (completed) {
      host_waits(done_, nullptr);
    }
    return completed;
  }
  bool isSuccess() const override {
    return host_->isSuccess();
  }
  std::exception_ptr exception() const override {
    return host_->exception();
  }
  int sourceRank() const override {
    return host_->sourceRank();
  }
  void synchronize() override {
    host_->synchronize();
    current_stream_waits();
  }
  bool wait(std::chrono::milliseconds timeout) override {
    current_stream_waits();
    return host_->wait(timeout);
  }
  void abort() override {
    host_->abort();
  }
  float getDuration() const override {
    return host_->getDuration();
  }
  uint64_t getSequencenumber() const override {
    return host_->getSequencenumber();
  }
  c10::intrusive_ptr<Future> getFutureResult() override {
    return host_->getFutureResult();
  }

  std::vector<at::Tensor> result() override {
    auto tensors = host_->result();
    for (auto& tensor : tensors) {
      tensor = aliases_->to_device(tensor);
    }
    return tensors;
  }

  c10::intrusive_ptr<Future> getFuture() override {
    const auto host = host_->getFuture();
    // A future takes tensors of the devices it is made for, and of no others.
    auto future =
        c10::make_intrusive<Future>(host->elementType(), std::vector<c10::Device>{kCard});
    host->addCallback([future, aliases = aliases_](Future& done) {
      if (done.hasError()) {
        future->setError(done.exception_ptr());
        return;
      }
      c10::IValue value = done.value();
      map_tensors(value, [&](const at::Tensor& tensor) { return aliases->to_device(tensor); });
      // Who waits for a future waits for what the streams, as they are now, have been asked for.
      c10::StreamGuard guard(c10::Stream(c10::Stream::UNSAFE, kCard, kCollectives));
      future->markCompleted(std::move(value));
    });
    return future;
  }

 private:
  void current_stream_waits() const {
    std::lock_guard lock(order_mutex());
    order().stream_waits(current_stream(), done_);
  }

  Clock done_{};
  const c10::intrusive_ptr<c10d::Work> host_;
  const std::shared_ptr<Aliases> aliases_;
};

}  // namespace

c10::intrusive_ptr<c10d::Work> on_device(
    c10::intrusive_ptr<c10d::Work> work, std::shared_ptr<Aliases> aliases) {
  return c10::make_intrusive<DeviceWork>(std::move(work), std::move(aliases));
}

}  // namespace porter
