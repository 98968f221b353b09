#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/random.hpp"
#include "vae_dist/core/require.hpp"

namespace vae_dist {

namespace {

/// Four numbers of a row of the file, as InputTransform says.
template <class T>
struct LoadInput {
    const std::byte* raw;  ///< the field of the first row
    std::size_t row_bytes;
    double scale;
    Transform kind;
    const double* mean;
    const double* inverse_deviation;
    DeviceRandom random;
    std::uint32_t visit;
    const std::int64_t* rows;
    Floats output;
    __device__ float load(std::int64_t row, std::int64_t column) const {
        const T* const numbers = reinterpret_cast<const T*>(raw + static_cast<std::size_t>(row) * row_bytes);
        const double value = static_cast<double>(numbers[column]) * scale;
        if (kind == Transform::standardize)
            return static_cast<float>((value - mean[column]) * inverse_deviation[column]);
        return static_cast<float>(value);
    }
    __device__ void operator()(std::int64_t row, std::int64_t column) const {
        const int count = output.count(column);
        Four four = {};
        for (int i = 0; i < kGroup; ++i)
            if (i < count) four.v[i] = load(row, column + i);
        if (kind == Transform::binarize) {
            const auto words = random.words(visit, static_cast<std::uint64_t>(rows[row]),
                                            static_cast<std::uint32_t>(column / kGroup));
            for (int i = 0; i < kGroup; ++i)
                four.v[i] = unit_of(words.v[i]) < four.v[i] ? 1.0F : 0.0F;
        } else if (kind == Transform::threshold) {
            for (float& value : four.v)
                value = value >= 0.5F ? 1.0F : 0.0F;
        } else if (kind == Transform::log1p) {
            for (float& value : four.v)
                value = log1pf(value);
        }
        output.store(row, column, four);
    }
};

}  // namespace

void CudaBackend::load_input(const HostRows& rows, std::uint32_t visit, std::span<const InputField> fields) {
    const auto there =
        queue_.upload({{rows.raw, rows.numbers.size() * rows.row_bytes}, std::as_bytes(rows.numbers)});
    for (const InputField& field : fields) {
        require(std::ssize(rows.numbers) == field.output.rows, "every row of the input has a number");
        const InputTransform& transform = field.transform;
        with_type(field.type, [&]<class T>(T) {
            require(rows.row_bytes % sizeof(T) == 0 && field.offset % sizeof(T) == 0,
                    "a kernel reads numbers at multiples of their size");
            run_groups(
                queue_, field.output.rows, field.output.columns,
                LoadInput<T>{there[0] + field.offset, rows.row_bytes, transform.scale, transform.kind,
                             transform.mean, transform.inverse_deviation, DeviceRandom(transform.random),
                             visit, reinterpret_cast<const std::int64_t*>(there[1]), field.output});
        });
    }
}

}  // namespace vae_dist
