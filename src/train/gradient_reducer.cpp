#include "vae_dist/train/gradient_reducer.hpp"

#include <algorithm>
#include <cmath>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Gradients as multiples of 2^-40 = 9e-13: a range of 4e6 / V, and a resolution far below float32's for
// gradients of ordinary size. An element smaller than 4.5e-13 counts as 0.
constexpr int kFractionBits = 40;

// What both reducers share. Slices come one after the other and each covers the array from its front to its
// end, so what a slice has been added to is a prefix. The first slice overwrites, so that nothing need be
// cleared.
class SliceReducer : public GradientReducer {
 public:
    SliceReducer(ParameterStore& store, Backend& backend, Communicator& communicator)
        : store_(store), backend_(backend), communicator_(communicator) {}

    void begin() override {
        covered_ = 0;
        overflow_ = false;
    }

    void add(std::int64_t begin, std::int64_t end) override {
        add_range(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin), begin >= covered_);
        covered_ = std::max(covered_, end);
    }

 protected:
    virtual void add_range(std::size_t begin, std::size_t count, bool overwrite) = 0;

    // A rank whose virtual ranks all have empty slices contributes zeros.
    void add_zeros_where_no_slice_was() {
        const auto size = static_cast<std::int64_t>(store_.gradients.size());
        if (covered_ == size) return;
        backend_.fill(store_.gradients, 0);
        add(covered_, size);
    }

    ParameterStore& store_;
    Backend& backend_;
    Communicator& communicator_;
    bool overflow_ = false;  ///< since `begin`: a value that the sum cannot hold

 private:
    std::int64_t covered_ = 0;
};

class ExactReducer final : public SliceReducer {
 public:
    ExactReducer(ParameterStore& store, Backend& backend, Communicator& communicator,
                 std::int64_t virtual_ranks)
        : SliceReducer(store, backend, communicator),
          virtual_ranks_(virtual_ranks),
          buffer_(backend.allocate((store.gradients.size() + StepTail::kWords) * sizeof(std::int64_t))) {}

    // The tail travels at the end of the same array: one reduction a step.
    void reduce(StepTail& tail) override {
        if (overflow_) tail.report_nonfinite();
        add_zeros_where_no_slice_was();
        std::int64_t* const tail_words = sums().data() + sums().size();
        const std::size_t tail_bytes = StepTail::kWords * sizeof(std::int64_t);
        backend_.copy_in(tail_words, tail.words().data(), tail_bytes);
        communicator_.all_reduce_sum(buffer_.span<std::int64_t>());
        backend_.copy_out(tail.words().data(), tail_words, tail_bytes);
        backend_.from_exact(sums(), kFractionBits, store_.gradients);
    }

    std::int64_t bytes() const override { return static_cast<std::int64_t>(buffer_.bytes()); }

 private:
    void add_range(std::size_t begin, std::size_t count, bool overwrite) override {
        const bool fits = backend_.add_exact(store_.gradients.subspan(begin, count), kFractionBits,
                                             virtual_ranks_, overwrite, sums().subspan(begin, count));
        overflow_ = overflow_ || !fits;
    }

    std::span<std::int64_t> sums() { return buffer_.span<std::int64_t>().first(store_.gradients.size()); }

    std::int64_t virtual_ranks_;
    Buffer buffer_;  ///< (parameters + tail), 64-bit integers
};

class FloatReducer final : public SliceReducer {
 public:
    FloatReducer(ParameterStore& store, Backend& backend, Communicator& communicator)
        : SliceReducer(store, backend, communicator),
          buffer_(backend.allocate(store.gradients.size() * sizeof(float))) {}

    void reduce(StepTail& tail) override {
        add_zeros_where_no_slice_was();
        communicator_.all_reduce_sum(sums());
        // Every rank has the same sum now, and so comes to the same verdict.
        communicator_.all_reduce_sum(tail.words());
        if (!std::isfinite(backend_.sum_of_squares(sums()))) tail.report_nonfinite();
        backend_.fill(store_.gradients, 0);
        backend_.add(sums(), store_.gradients);
    }

    std::int64_t bytes() const override { return static_cast<std::int64_t>(buffer_.bytes()); }

 private:
    void add_range(std::size_t begin, std::size_t count, bool overwrite) override {
        const std::span<float> to = sums().subspan(begin, count);
        if (overwrite) backend_.fill(to, 0);
        backend_.add(store_.gradients.subspan(begin, count), to);
    }

    std::span<float> sums() { return buffer_.span<float>(); }

    Buffer buffer_;  ///< (parameters)
};

}  // namespace

std::unique_ptr<GradientReducer> make_gradient_reducer(Reduction reduction, ParameterStore& store,
                                                       Backend& backend, Communicator& communicator,
                                                       std::int64_t virtual_ranks) {
    switch (reduction) {
        case Reduction::exact:
            return std::make_unique<ExactReducer>(store, backend, communicator, virtual_ranks);
        case Reduction::float32:
            return std::make_unique<FloatReducer>(store, backend, communicator);
        case Reduction::bfloat16:
            break;
    }
    throw_input_error("train.reduction: bfloat16 is not supported by this version; use exact or float32");
}

}  // namespace vae_dist
