#include <cmath>
#include <cstring>

#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// The raw numbers need not be aligned: they are bytes of a file.
template <class T>
void read_scaled(const std::byte* raw, float scale, std::span<float> to) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        T value;
        std::memcpy(&value, raw + i * sizeof(T), sizeof(T));
        to[i] = static_cast<float>(value) * scale;
    }
}

using Reader = void (*)(const std::byte* raw, float scale, std::span<float> to);

Reader reader_of(ElementType type) {
    switch (type) {
        case ElementType::uint8:
            return read_scaled<std::uint8_t>;
        case ElementType::int8:
            return read_scaled<std::int8_t>;
        case ElementType::uint16:
            return read_scaled<std::uint16_t>;
        case ElementType::int16:
            return read_scaled<std::int16_t>;
        case ElementType::uint32:
            return read_scaled<std::uint32_t>;
        case ElementType::int32:
            return read_scaled<std::int32_t>;
        case ElementType::uint64:
            return read_scaled<std::uint64_t>;
        case ElementType::int64:
            return read_scaled<std::int64_t>;
        case ElementType::float32:
            return read_scaled<float>;
        case ElementType::float64:
            return read_scaled<double>;
    }
    throw Error(ErrorKind::bug, "a bug in vae_dist: unknown element type");
}

void binarize(std::span<const std::uint32_t> words, std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = unit_float(words[i]) < values[i] ? 1.0F : 0.0F;
}

void threshold(std::span<float> values) {
    for (float& value : values)
        value = value >= 0.5F ? 1.0F : 0.0F;
}

void standardize(const float* mean, const float* inverse_deviation, std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = (values[i] - mean[i]) * inverse_deviation[i];
}

}  // namespace

void CpuBackend::load_input(const InputTransform& transform, ElementType type, const std::byte* raw,
                            std::span<const std::int64_t> rows_host, std::uint32_t visit,
                            FloatMatrix output) {
    require(std::ssize(rows_host) == output.rows, "every row of the input has a number");
    const Reader read = reader_of(type);
    const auto columns = static_cast<std::size_t>(output.columns);
    for (std::int64_t r = 0; r < output.rows; ++r) {
        const std::span<float> row(output.row(r), columns);
        read(raw + static_cast<std::size_t>(r) * columns * element_bytes(type), transform.scale, row);
        switch (transform.kind) {
            case Transform::none:
                break;
            case Transform::binarize:
                words_.resize(columns);
                transform.random.fill_words(
                    visit, static_cast<std::uint64_t>(rows_host[static_cast<std::size_t>(r)]), 0, words_);
                binarize(words_, row);
                break;
            case Transform::threshold:
                threshold(row);
                break;
            case Transform::standardize:
                standardize(transform.mean, transform.inverse_deviation, row);
                break;
            case Transform::log1p:
                for (float& value : row)
                    value = std::log1p(value);
                break;
        }
    }
}

}  // namespace vae_dist
