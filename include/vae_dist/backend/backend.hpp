#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "vae_dist/backend/arguments.hpp"
#include "vae_dist/backend/arrays.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/element_type.hpp"
#include "vae_dist/core/matrix_view.hpp"
#include "vae_dist/core/operand.hpp"
#include "vae_dist/core/random.hpp"
#include "vae_dist/ops/operation.hpp"

namespace vae_dist {

/// Memory of a backend: owned, move-only, 64-byte aligned.
class Buffer {
 public:
    using Release = std::function<void(std::byte*)>;

    Buffer() = default;
    Buffer(std::byte* data, std::size_t bytes, Release release)
        : data_(data, std::move(release)), bytes_(bytes) {}

    std::size_t bytes() const { return bytes_; }

    template <class T>
    T* as() const {
        return reinterpret_cast<T*>(data_.get());
    }
    template <class T>
    std::span<T> span() const {
        return {as<T>(), bytes_ / sizeof(T)};
    }

 private:
    std::unique_ptr<std::byte, Release> data_{nullptr, [](std::byte*) {}};
    std::size_t bytes_ = 0;
};

/// From a file's numbers to the model's input: value * scale, then the transform. Until standardize has
/// subtracted the mean, all is in double: numbers such as times lie far from 0 and close together.
struct InputTransform {
    double scale = 1;
    Transform kind = Transform::none;
    const double* mean = nullptr;               ///< standardize: (features), backend memory
    const double* inverse_deviation = nullptr;  ///< standardize: (features), backend memory
    CounterRandom random{0, Purpose::binarize};
};

/// Rows as a file has them, in host memory.
struct HostRows {
    const std::byte* raw = nullptr;         ///< row after row
    std::size_t row_bytes = 0;              ///< from one row to the next
    std::span<const std::int64_t> numbers;  ///< (B) which rows of the data they are
};

/// What of each row becomes a matrix of the model's input.
struct InputField {
    InputTransform transform;
    ElementType type = ElementType::float32;
    std::size_t offset = 0;   ///< bytes from the beginning of a row
    FloatMatrix output = {};  ///< (B, D)
};

class DeviceBackend;

/// Where the computing happens: memory, the operations of a graph, and work on whole arrays. Matrices are
/// row-major; B is the number of rows (samples) of a slice, D features. Pointers and views are the backend's
/// own memory unless marked "host". Views may have no rows: sums over samples are then 0. Every result is a
/// pure function of its arguments' values, shapes and strides: it does not depend on where a buffer lies, on
/// what was computed before or on the number of threads. What is not a number stays visible: an operation on
/// NaN gives NaN where its result depends on it.
class Backend : public ArrayOperations {
 public:
    /// What computes, in words: "CPU, oneDNN 2.6.3 (avx512_core_bf16), 1 thread".
    virtual std::string description() const = 0;

    /// This as a backend whose memory is a device's; null where it is the host's, which any code may read and
    /// write.
    virtual DeviceBackend* device() { return nullptr; }

    // --- Memory
    virtual Buffer allocate(
        std::size_t bytes) = 0;  ///< zeroed; throws ErrorKind::failure where memory is out
    virtual void copy_in(void* to, const void* from_host, std::size_t bytes) = 0;
    virtual void copy_out(void* to_host, const void* from, std::size_t bytes) = 0;

    // --- Input
    /// Each field's output (B, D) = transform(its numbers * scale). Rounds to float once: standardize its
    /// result, the others what was scaled, of which they make theirs. Binarize draws with the counter (visit,
    /// rows[b], feature): 1 if its uniform number is below the value.
    virtual void load_input(const HostRows& rows, std::uint32_t visit,
                            std::span<const InputField> fields) = 0;

    // --- Operations
    /// Runs one operation. Operands are float or bfloat16 matrices as the operation's rules say; sums are in
    /// float, and what goes into a bfloat16 matrix is rounded once.
    virtual void run(const Operation& operation, const Arguments& with) = 0;
    /// Whether this processor, and the library for products, have instructions for products of bfloat16
    /// matrices. Without, they are right but slower than those of float matrices.
    virtual bool has_fast_bfloat16() const = 0;

    // --- Threads
    /// How many calls of for_each's body run at a time, at the most.
    virtual std::int64_t threads() const = 0;
    /// Calls body(i) for each i below count, on the backend's threads. Within it ArrayOperations may be
    /// called, on arrays that do not overlap; no other functions. Throws what one of the calls threw.
    virtual void for_each(std::int64_t count, const std::function<void(std::int64_t)>& body) = 0;
};

/// The backend that `compute` asks for, auto being cpu (see choose_compute); of cuda that on number `device`
/// of find_devices(). Throws an input error where this build or machine lacks it.
std::unique_ptr<Backend> make_backend(const ComputeConfig& compute, int device = 0);

}  // namespace vae_dist
