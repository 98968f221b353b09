#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace vae_dist {

/// Threads that share the work of one operation: OpenMP's, which the libraries for matrix products use too,
/// so that there is one set of them. Whoever cuts work chooses pieces whose results do not depend on where
/// the cuts are: the number of threads must not show in any bit.
class Threads {
 public:
    explicit Threads(std::int64_t count) : count_(static_cast<int>(count)) {}

    std::int64_t count() const { return count_; }

    /// body(i) for each i below `count`.
    template <class Body>
    void each(std::int64_t count, const Body& body) const {
        if (count_ == 1 || count <= 1 || omp_in_parallel() != 0) {
            for (std::int64_t i = 0; i < count; ++i)
                body(i);
        } else {
            each_in_parallel(count, body);
        }
    }

    /// body(first, last) for pieces of [0, size), at most one a thread, that begin at multiples of `grain`.
    template <class Body>
    void split(std::int64_t size, std::int64_t grain, const Body& body) const {
        const std::int64_t grains = (size + grain - 1) / grain;
        const std::int64_t pieces = omp_in_parallel() != 0 ? 1 : std::min<std::int64_t>(count_, grains);
        if (pieces <= 1) return body(std::int64_t{0}, size);
        const auto cut = [&](std::int64_t i) { return std::min(size, grains * i / pieces * grain); };
        each_in_parallel(pieces, [&](std::int64_t i) { body(cut(i), cut(i + 1)); });
    }

 private:
    // An exception must not leave a parallel region: the first one's is thrown after it.
    template <class Body>
    void each_in_parallel(std::int64_t count, const Body& body) const {
        std::exception_ptr error;
        std::int64_t failed = count;
#pragma omp parallel for num_threads(count_) schedule(dynamic, 1) default(none) \
    shared(count, body, error, failed)
        for (std::int64_t i = 0; i < count; ++i) {
            try {
                body(i);
            } catch (...) {
#pragma omp critical(vae_dist_threads)
                if (i < failed) {
                    failed = i;
                    error = std::current_exception();
                }
            }
        }
        if (error) std::rethrow_exception(error);
    }

    int count_;
};

/// Elements of an array below which a piece is not worth another thread.
inline constexpr std::int64_t kGrain = 8192;

/// Rows of a matrix that make such a piece.
inline std::int64_t row_grain(std::int64_t columns) {
    return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns));
}

}  // namespace vae_dist
