#include <algorithm>
#include <array>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// to[i] = convert(i, number i of the row times the scale), rounded to float.
template <class Convert>
void read_row(ElementType type, const std::byte* raw, double scale, std::span<float> to, Convert convert) {
    with_type(type, [&]<class T>(T) {
        for (std::size_t i = 0; i < to.size(); ++i) {
            to[i] = static_cast<float>(convert(i, static_cast<double>(element_at<T>(raw, i)) * scale));
        }
    });
}

void read_input(const InputTransform& transform, ElementType type, const std::byte* raw,
                std::span<float> to) {
    if (transform.kind != Transform::standardize) {
        read_row(type, raw, transform.scale, to, [](std::size_t, double value) { return value; });
        return;
    }
    const double* const mean = transform.mean;
    const double* const inverse = transform.inverse_deviation;
    read_row(type, raw, transform.scale, to,
             [=](std::size_t i, double value) { return (value - mean[i]) * inverse[i]; });
}

// 1 where the number is above the feature's uniform draw, else 0.
void binarize(const CounterRandom& random, std::uint32_t visit, std::uint64_t row, std::span<float> values) {
    constexpr std::size_t kDraws = 1024;
    std::array<std::uint32_t, kDraws> memory;
    for (std::size_t first = 0; first < values.size(); first += kDraws) {
        const std::span<float> now = values.subspan(first, std::min(kDraws, values.size() - first));
        const std::span<std::uint32_t> words = std::span(memory).first(now.size());
        random.fill_words(visit, row, static_cast<std::uint32_t>(first / 4), words);
        for (std::size_t i = 0; i < now.size(); ++i)
            now[i] = unit_float(words[i]) < now[i] ? 1.0F : 0.0F;
    }
}

void threshold(std::span<float> values) {
    for (float& value : values)
        value = value >= 0.5F ? 1.0F : 0.0F;
}

}  // namespace

void CpuBackend::load_input(const HostRows& rows, std::uint32_t visit, std::span<const InputField> fields) {
    for (const InputField& field : fields) {
        const FloatMatrix& output = field.output;
        require(std::ssize(rows.numbers) == output.rows, "every row of the input has a number");
        const auto load_row = [&](std::int64_t r) {
            const std::span<float> row(output.row(r), static_cast<std::size_t>(output.columns));
            const auto index = static_cast<std::size_t>(r);
            read_input(field.transform, field.type, rows.raw + index * rows.row_bytes + field.offset, row);
            switch (field.transform.kind) {
                case Transform::none:
                case Transform::standardize:
                    break;
                case Transform::binarize:
                    binarize(field.transform.random, visit, static_cast<std::uint64_t>(rows.numbers[index]),
                             row);
                    break;
                case Transform::threshold:
                    threshold(row);
                    break;
                case Transform::log1p:
                    map_array(
                        output.columns, row.data(), [](const Block& x) { return Block(x.log1p()); },
                        row.data());
                    break;
            }
        };
        threads_.split(output.rows, row_grain(output.columns), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t r = first; r < last; ++r)
                load_row(r);
        });
    }
}

}  // namespace vae_dist
