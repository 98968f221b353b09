#include <cmath>
#include <cstring>
#include <limits>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/elements.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

/// to = f(to, from), four elements at a time.
template <class From, class To, class F>
struct Combine {
    Rows<const From> from;
    Rows<To> to;
    F f;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const Four a = to.load(row, column);
        const Four b = from.load(row, column);
        Four result;
        for (int i = 0; i < kGroup; ++i)
            result.v[i] = f(a.v[i], b.v[i]);
        to.store(row, column, result);
    }
};
struct Plus {
    __device__ float operator()(float a, float b) const { return a + b; }
};

struct Fill {
    Floats to;
    float value;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        to.store(row, column, Four{{value, value, value, value}});
    }
};

/// values *= factor, or *pointer where there is one.
struct Scale {
    Floats values;
    float factor;
    const float* pointer;
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const float by = pointer == nullptr ? factor : *pointer;
        Four four = values.load(row, column);
        for (float& value : four.v)
            value *= by;
        values.store(row, column, four);
    }
};

// --- Sums in double, of chunks of an array. 32 threads share a chunk.

constexpr std::int64_t kSlots = 32;

template <bool kSquares>
struct ChunkPartials {
    ConstFloats values;
    std::int64_t chunk;
    double* partial;  ///< (chunks, kSlots)
    __device__ void operator()(std::int64_t i) const {
        const std::int64_t first = i / kSlots * chunk;
        const std::int64_t last = first + chunk < values.columns ? first + chunk : values.columns;
        double sums[kGroup] = {};
        for (std::int64_t at = first + i % kSlots * kGroup; at < last; at += kSlots * kGroup) {
            const Four four = values.load(0, at);
            for (int k = 0; k < kGroup; ++k) {
                const double value = at + k < last ? static_cast<double>(four.v[k]) : 0.0;
                sums[k] += kSquares ? value * value : value;
            }
        }
        partial[i] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
};

struct ChunkTotals {
    const double* partial;
    double* to;
    __device__ void operator()(std::int64_t i) const {
        double total = 0;
        for (std::int64_t slot = 0; slot < kSlots; ++slot)
            total += partial[i * kSlots + slot];
        to[i] = total;
    }
};

/// to[t] = the sum of every `threads`-th of some doubles, from the t-th on.
struct EveryNth {
    const double* values;
    std::int64_t count, threads;
    double* to;
    __device__ void operator()(std::int64_t thread) const {
        double total = 0;
        for (std::int64_t i = thread; i < count; i += threads)
            total += values[i];
        to[thread] = total;
    }
};

struct Quotient {
    const double* values;
    std::int64_t count;
    double divisor;
    double* to;
    __device__ void operator()(std::int64_t) const {
        double total = 0;
        for (std::int64_t i = 0; i < count; ++i)
            total += values[i];
        *to = total / divisor;
    }
};

std::int64_t chunks_of(std::int64_t size, std::int64_t chunk) {
    return (size + chunk - 1) / chunk;
}

template <bool kSquares>
void sum_chunks(Queue& queue, DeviceScratch& scratch, std::span<const float> values, std::int64_t chunk,
                double* to) {
    const std::int64_t chunks = chunks_of(std::ssize(values), chunk);
    require(chunk % kGroup == 0, "chunks are whole groups");
    double* const partial = scratch.get<double>(chunks * kSlots);
    run_each(queue, chunks * kSlots,
             ChunkPartials<kSquares>{{values.data(), std::ssize(values)}, chunk, partial});
    run_each(queue, chunks, ChunkTotals{partial, to});
}

/// The root of a sum of squares, and the factor that brings it down to a limit.
struct ClipFactor {
    const double* squares;
    std::int64_t count;
    const std::int64_t* misfits;
    double clip_norm;
    double* norm;
    float* factor;
    __device__ void operator()(std::int64_t) const {
        double total = 0;
        for (std::int64_t i = 0; i < count; ++i)
            total += squares[i];
        const double root = *misfits != 0 ? static_cast<double>(INFINITY) : sqrt(total);
        *norm = root;
        *factor = clip_norm > 0 && root > clip_norm ? static_cast<float>(clip_norm / root) : 1.0F;
    }
};

// --- Exact sums

/// to (+)= the rounded multiples of 1 / factor; what is not below `limit`, as what is not finite, adds 0 and
/// is noted.
struct AddExact {
    ConstFloats values;
    float factor, limit;
    bool overwrite;
    std::int64_t* to;
    bool packed;  ///< `to`, too
    std::int64_t* misfits;
    __device__ void operator()(std::int64_t, std::int64_t column) const {
        const Four four = values.load(0, column);
        const int count = values.count(column);
        Packed<std::int64_t> sums = {};
        if (!overwrite) {
            if (packed) {
                sums = *reinterpret_cast<const Packed<std::int64_t>*>(to + column);
            } else {
                for (int i = 0; i < kGroup; ++i)
                    if (i < count) sums.v[i] = to[column + i];
            }
        }
        bool fits = true;
        for (int i = 0; i < kGroup; ++i) {
            const float scaled = four.v[i] * factor;
            const bool fit = fabsf(scaled) < limit;
            fits = fits && fit;
            const auto rounded = static_cast<std::int64_t>(rintf(fit ? scaled : 0.0F));
            // As unsigned numbers, whose sums wrap around.
            sums.v[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sums.v[i]) +
                                                  static_cast<std::uint64_t>(rounded));
        }
        if (packed) {
            *reinterpret_cast<Packed<std::int64_t>*>(to + column) = sums;
        } else {
            for (int i = 0; i < kGroup; ++i)
                if (i < count) to[column + i] = sums.v[i];
        }
        if (!fits) *misfits = 1;
    }
};

struct AddExactTerms {
    const double* values;
    double factor, scale, limit;
    std::int64_t* to;
    std::int64_t* misfits;
    __device__ void operator()(std::int64_t i) const {
        const double scaled = values[i] * factor * scale;
        if (fabs(scaled) < limit) {
            to[i] += static_cast<std::int64_t>(rint(scaled));
        } else {
            *misfits = 1;
        }
    }
};

struct FromExact {
    const std::int64_t* values;
    bool values_packed;
    Floats to;
    float factor;
    __device__ void operator()(std::int64_t, std::int64_t column) const {
        const int count = to.count(column);
        Packed<std::int64_t> sums = {};
        if (values_packed) {
            sums = *reinterpret_cast<const Packed<std::int64_t>*>(values + column);
        } else {
            for (int i = 0; i < kGroup; ++i)
                if (i < count) sums.v[i] = values[column + i];
        }
        Four four;
        for (int i = 0; i < kGroup; ++i)
            four.v[i] = static_cast<float>(sums.v[i]) * factor;
        to.store(0, column, four);
    }
};

bool is_packed(std::span<const std::int64_t> values) {
    return values.size() % kGroup == 0 &&
           reinterpret_cast<std::uintptr_t>(values.data()) % alignof(Packed<std::int64_t>) == 0;
}

// The smallest float that is not below `value`: for every float x, x < limit_above(value) exactly if x <
// value.
float limit_above(double value) {
    const auto limit = static_cast<float>(value);
    return limit < value ? std::nextafter(limit, std::numeric_limits<float>::infinity()) : limit;
}

double limit_of(std::int64_t addends, int fraction_bits) {
    require(addends > 0 && fraction_bits >= 0 && fraction_bits < 127,
            "the scale of an exact sum is in range");
    return 0x1p62 / static_cast<double>(addends);
}

}  // namespace

void CudaBackend::fill(std::span<float> values, float value) {
    run_groups(queue_, 1, std::ssize(values), Fill{{values.data(), std::ssize(values)}, value});
}

void CudaBackend::scale(std::span<float> values, float factor) {
    run_groups(queue_, 1, std::ssize(values), Scale{{values.data(), std::ssize(values)}, factor, nullptr});
}

void CudaBackend::scale_by(std::span<float> values, const float* factor) {
    run_groups(queue_, 1, std::ssize(values), Scale{{values.data(), std::ssize(values)}, 1, factor});
}

void CudaBackend::add(std::span<const float> values, std::span<float> to) {
    require(values.size() == to.size(), "arrays to add have one length");
    const std::int64_t size = std::ssize(to);
    run_groups(queue_, 1, size, Combine<float, float, Plus>{{values.data(), size}, {to.data(), size}, {}});
}

void CudaBackend::add_bfloat16(std::span<const BFloat16> values, std::span<float> to) {
    require(values.size() == to.size(), "arrays to add have one length");
    const std::int64_t size = std::ssize(to);
    run_groups(queue_, 1, size, Combine<BFloat16, float, Plus>{{values.data(), size}, {to.data(), size}, {}});
}

// What is in device memory, once all before is done.
template <class T>
T CudaBackend::answer(const T* from) {
    T value;
    copy_out(&value, from, sizeof(T));
    return value;
}

void CudaBackend::sum(std::span<const float> values, double divisor, double* to) {
    constexpr std::int64_t kChunk = 4096;
    const std::int64_t chunks = chunks_of(std::ssize(values), kChunk);
    // Behind the partial sums of the chunks.
    double* const totals = scratch_.chunk_sums.get<double>(chunks);
    sum_chunks<false>(queue_, scratch_.partial_sums, values, kChunk, totals);
    run_each(queue_, 1, Quotient{totals, chunks, divisor, to});
}

double CudaBackend::sum_of_squares(std::span<const float> values) {
    const std::int64_t whole = (std::ssize(values) + kGroup - 1) / kGroup * kGroup;
    if (whole == 0) return 0;
    double* const total = scratch_.answers.get<double>(1);
    sums_of_squares(values, whole, total);
    return answer(total);
}

void CudaBackend::sums_of_squares(std::span<const float> values, std::int64_t chunk, double* to) {
    sum_chunks<true>(queue_, scratch_.partial_sums, values, chunk, to);
}

void CudaBackend::clip_factor(std::span<const double> squares, const std::int64_t* misfits, double clip_norm,
                              double* norm, float* factor) {
    constexpr std::int64_t kThreads = 64;
    double* const partial = scratch_.partial_sums.get<double>(kThreads);
    run_each(queue_, kThreads, EveryNth{squares.data(), std::ssize(squares), kThreads, partial});
    run_each(queue_, 1, ClipFactor{partial, kThreads, misfits, clip_norm, norm, factor});
}

void CudaBackend::add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                            bool overwrite, std::span<std::int64_t> to, std::int64_t* misfits) {
    require(values.size() == to.size(), "arrays to add have one length");
    const float limit = limit_above(limit_of(addends, fraction_bits));
    const std::int64_t size = std::ssize(to);
    run_groups(queue_, 1, size,
               AddExact{{values.data(), size},
                        std::ldexp(1.0F, fraction_bits),
                        limit,
                        overwrite,
                        to.data(),
                        is_packed(to),
                        misfits});
}

bool CudaBackend::add_exact(std::span<const float> values, int fraction_bits, std::int64_t addends,
                            bool overwrite, std::span<std::int64_t> to) {
    auto* const misfits = scratch_.answers.get<std::int64_t>(1);
    const std::int64_t none = 0;
    copy_in(misfits, &none, sizeof none);
    add_exact(values, fraction_bits, addends, overwrite, to, misfits);
    return answer(misfits) == 0;
}

bool CudaBackend::sum_exact(std::span<const float* const> arrays, int fraction_bits, std::int64_t addends,
                            std::span<float> to) {
    require(!arrays.empty(), "a sum has addends");
    const std::span<std::int64_t> sums(scratch_.exact.get<std::int64_t>(std::ssize(to)), to.size());
    auto* const misfits = scratch_.answers.get<std::int64_t>(1);
    const std::int64_t none = 0;
    copy_in(misfits, &none, sizeof none);
    for (std::size_t i = 0; i < arrays.size(); ++i)
        add_exact({arrays[i], to.size()}, fraction_bits, addends, i == 0, sums, misfits);
    from_exact(sums, fraction_bits, to);
    return answer(misfits) == 0;
}

void CudaBackend::add_exact_terms(std::span<const double> values, double factor, int fraction_bits,
                                  std::int64_t addends, std::int64_t* to, std::int64_t* misfits) {
    run_each(queue_, std::ssize(values),
             AddExactTerms{values.data(), factor, std::ldexp(1.0, fraction_bits),
                           limit_of(addends, fraction_bits), to, misfits});
}

void CudaBackend::from_exact(std::span<const std::int64_t> values, int fraction_bits, std::span<float> to) {
    require(values.size() == to.size(), "arrays to convert have one length");
    require(fraction_bits >= 0 && fraction_bits < 127, "the scale of an exact sum is in range");
    const std::int64_t size = std::ssize(to);
    run_groups(
        queue_, 1, size,
        FromExact{values.data(), is_packed(values), {to.data(), size}, std::ldexp(1.0F, -fraction_bits)});
}

}  // namespace vae_dist
