// Ops that find rows or elements by number, and what they do with a number that is out of range.
// They have kernels of their own, so that no other op pays for the question.
#include "indices.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "aliases.h"
#include "device.h"
#include "fallback.h"
#include "in_flight.h"
#include "reports.h"

namespace porter {
namespace {

constexpr const char* kRule = "index-out-of-range";

using torch::jit::peek;
using torch::jit::Stack;

std::atomic<bool> lenient{false};

struct Tally {
  std::mutex mutex;
  std::map<std::string, int64_t> by_op;

  void add(const std::string& op, int64_t count) {
    const std::lock_guard<std::mutex> lock(mutex);
    by_op[op] += count;
  }
};

Tally& tally() {
  static auto* const all = new Tally;
  return *all;
}

// How many rows there are to choose from.
enum class Bound {
  kDimension,    // the size of the first argument in the dimension that the second names
  kRows,         // the size of the first argument in its first dimension
  kNumber,       // the argument after the indices
  kNumberIfSet,  // the same, and any number of them where it is negative
};

// What is done, where that is allowed, about indices out of range.
enum class Repair {
  kZeroRows,      // read row 0 instead, and put zeros there in the result
  kZeroVectors,   // the same, where the result has a vector for each index
  kZeroElements,  // the same, where the result has a number for each index
  kDropRows,      // leave out the index, and its row in the argument after it
  kDropVectors,   // leave out the index, and its vector in the argument before it
  kDropIndex,     // leave out the index
  kNone,          // an error all the same
};

struct Indexing {
  Bound bound;
  Repair repair;
  size_t indices = 2;
  bool from_end = false;
};

struct IndexedOp {
  const char* name;
  Indexing access;
};

constexpr Indexing kReadsElements{Bound::kDimension, Repair::kZeroElements};
constexpr Indexing kReadsRows{Bound::kDimension, Repair::kZeroRows};
constexpr Indexing kWritesElements{Bound::kDimension, Repair::kNone};
constexpr Indexing kWritesRows{Bound::kDimension, Repair::kDropRows};
constexpr Indexing kFillsRows{Bound::kDimension, Repair::kDropIndex, 2, true};

constexpr std::array<IndexedOp, 37> kOps{{
    {"index_select", kReadsRows},
    {"index_select.out", kReadsRows},
    {"embedding", {Bound::kRows, Repair::kZeroVectors, 1}},
    {"embedding_dense_backward", {Bound::kNumber, Repair::kDropVectors, 1}},
    {"embedding_renorm_", {Bound::kRows, Repair::kDropIndex, 1}},
    {"one_hot", {Bound::kNumberIfSet, Repair::kZeroVectors, 0}},
    {"gather", kReadsElements},
    {"gather.out", kReadsElements},
    {"index_copy", kWritesRows},
    {"index_copy_", kWritesRows},
    {"index_copy.out", kWritesRows},
    {"index_add", kWritesRows},
    {"index_add_", kWritesRows},
    {"index_add.out", kWritesRows},
    {"index_reduce", kWritesRows},
    {"index_reduce_", kWritesRows},
    {"index_reduce.out", kWritesRows},
    {"index_fill_.int_Scalar", kFillsRows},
    {"index_fill_.int_Tensor", kFillsRows},
    {"scatter.src", kWritesElements},
    {"scatter.src_out", kWritesElements},
    {"scatter.value", kWritesElements},
    {"scatter.value_out", kWritesElements},
    {"scatter.reduce", kWritesElements},
    {"scatter.reduce_out", kWritesElements},
    {"scatter.value_reduce", kWritesElements},
    {"scatter.value_reduce_out", kWritesElements},
    {"scatter_.src", kWritesElements},
    {"scatter_.value", kWritesElements},
    {"scatter_.reduce", kWritesElements},
    {"scatter_.value_reduce", kWritesElements},
    {"scatter_add", kWritesElements},
    {"scatter_add_", kWritesElements},
    {"scatter_add.out", kWritesElements},
    {"scatter_reduce.two", kWritesElements},
    {"scatter_reduce_.two", kWritesElements},
    {"scatter_reduce.two_out", kWritesElements},
}};

// One call: its indices before it, its result after it.
class IndexedCall {
 public:
  IndexedCall(const Indexing& access, const c10::OperatorHandle& op, Stack& stack)
      : access_(access), stack_(stack), arguments_(op.schema().arguments().size()) {
    const auto& indices = argument(access.indices).toTensor();
    const auto type = indices.scalar_type();
    // Of anything else, the kernel of the CPU says what it thinks.
    if (indices.device().type() == kHPU && (type == at::kLong || type == at::kInt)) {
      end_ = bound();
      start_ = access_.from_end ? -end_ : 0;
      if (!all_inside(indices)) {
        handle(op.schema().name(), aliases_.to_host(indices));
      }
    }
  }

  // Puts the filler into the result, the last value on the stack.
  void fill() {
    if (filled_.defined()) {
      Aliases aliases;
      const auto result = aliases.to_host(stack_.back().toTensor());
      // There is no masked_fill_ for 8 bit floats; a zero is a zero byte.
      const bool bytes = c10::isFloat8Type(result.scalar_type());
      (bytes ? result.view(at::kByte) : result).masked_fill_(filled_, 0);
    }
  }

 private:
  c10::IValue& argument(size_t position) {
    return peek(stack_, position, arguments_);
  }

  int64_t dimension() {
    const auto& self = argument(0).toTensor();
    return access_.bound == Bound::kDimension
        ? c10::maybe_wrap_dim(argument(1).toInt(), self.dim())
        : 0;
  }

  int64_t bound() {
    if (access_.bound == Bound::kNumber || access_.bound == Bound::kNumberIfSet) {
      const auto number = argument(access_.indices + 1).toInt();
      const bool any = access_.bound == Bound::kNumberIfSet && number < 0;
      return any ? std::numeric_limits<int64_t>::max() : number;
    }
    const auto& self = argument(0).toTensor();
    return self.dim() ? self.size(dimension()) : 1;
  }

  // By far the most calls end here. False, too, where the indices have gaps.
  bool all_inside(const at::Tensor& indices) const {
    return indices.scalar_type() == at::kLong ? all_inside_as<int64_t>(indices)
                                              : all_inside_as<int32_t>(indices);
  }

  template <typename Integer>
  bool all_inside_as(const at::Tensor& indices) const {
    const auto* first =
        static_cast<const Integer*>(indices.storage().data()) + indices.storage_offset();
    return indices.is_contiguous() &&
        std::all_of(first, first + indices.numel(), [&](Integer i) {
          return i >= start_ && i < end_;
        });
  }

  void handle(const std::string& name, const at::Tensor& indices) {
    const auto numbers = indices.to(at::kLong).contiguous();
    const auto* first = numbers.const_data_ptr<int64_t>();
    const auto* last = first + numbers.numel();
    const auto* outside =
        std::find_if(first, last, [&](int64_t i) { return i < start_ || i >= end_; });
    if (outside == last) {
      return;
    }
    const auto op = name.substr(name.rfind(':') + 1);
    const bool repaired = lenient && end_ > 0 && access_.repair != Repair::kNone;
    const auto fault = c10::str(
        op, ": index ", *outside, " at position ", outside - first, " is out of range: not in [",
        start_, ", ", end_, ")");
    if (!repaired) {
      report(kRule, name, fault);
    }
    TORCH_CHECK_INDEX(repaired, fault);
    note(kRule, name, fault + "; a read yields zeros and a write is dropped, as was asked for");
    const auto mask = numbers.lt(start_).logical_or_(numbers.ge(end_));
    tally().add(op, mask.sum().item<int64_t>());
    repair(indices, mask);
  }

  void repair(const at::Tensor& indices, const at::Tensor& outside) {
    switch (access_.repair) {
      case Repair::kZeroRows: {
        const auto& self = argument(0).toTensor();
        std::vector<int64_t> shape(self.dim(), 1);
        if (self.dim()) {
          shape[dimension()] = outside.numel();
        }
        filled_ = outside.reshape(shape);
        break;
      }
      case Repair::kZeroVectors:
        filled_ = outside.unsqueeze(-1);
        break;
      case Repair::kZeroElements:
        filled_ = outside;
        break;
      default:
        drop(indices, outside.logical_not().reshape(-1).nonzero().reshape(-1));
        return;
    }
    replace(access_.indices, indices.masked_fill(outside, 0));
  }

  void drop(const at::Tensor& indices, const at::Tensor& kept) {
    replace(access_.indices, indices.reshape(-1).index_select(0, kept));
    if (access_.repair == Repair::kDropRows) {
      const auto source = aliases_.to_host(argument(access_.indices + 1).toTensor());
      replace(access_.indices + 1, source.index_select(source.dim() ? dimension() : 0, kept));
    } else if (access_.repair == Repair::kDropVectors) {
      const auto vectors = aliases_.to_host(argument(access_.indices - 1).toTensor());
      replace(
          access_.indices - 1, vectors.reshape({-1, vectors.size(-1)}).index_select(0, kept));
    }
  }

  void replace(size_t position, const at::Tensor& host) {
    argument(position) = aliases_.to_device(host);
  }

  const Indexing& access_;
  Stack& stack_;
  size_t arguments_;
  int64_t start_ = 0;
  int64_t end_ = 0;
  Aliases aliases_;
  at::Tensor filled_;
};

class IndexedKernel final : public c10::OperatorKernel {
 public:
  explicit IndexedKernel(const Indexing& access) : access_(access) {}

  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet /*keys*/, Stack* stack) {
    at::AutoDispatchBelowADInplaceOrView below;
    OwnWork own;
    if (!known_) {
      known_ = &known(op);
    }
    IndexedCall call(access_, op, *stack);
    run_on_host(*known_, op, stack);
    call.fill();
  }

 private:
  Indexing access_;
  Operator* known_ = nullptr;  // the same for every call; who comes first looks it up
};

TORCH_LIBRARY_IMPL(aten, HPU, library) {
  for (const auto& [name, access] : kOps) {
    library.impl(
        name, torch::CppFunction::makeFromBoxedFunctor(std::make_unique<IndexedKernel>(access)));
  }
}

}  // namespace

void set_index_policy(const std::string& name) {
  TORCH_CHECK_VALUE(
      name == "strict" || name == "lenient", "an index policy is strict or lenient, not ", name);
  lenient = name == "lenient";
}

std::map<std::string, int64_t> index_counts() {
  const std::lock_guard<std::mutex> lock(tally().mutex);
  return tally().by_op;
}

}  // namespace porter
