#include <algorithm>
#include <cmath>
#include <numeric>

#include "backend_suite.hpp"

namespace vae_dist {
namespace {

// Loads one matrix of `values`, in the file's type T, one byte after an aligned address.
template <class T>
std::vector<float> load(Backend& backend, const InputTransform& transform, ElementType type,
                        const std::vector<T>& values, std::int64_t rows, MemoryPlace place = {}) {
    std::vector<std::byte> raw(values.size() * sizeof(T) + 1);
    std::ranges::copy(std::as_bytes(std::span(values)), raw.begin() + 1);
    const Tensor output(backend, rows, std::ssize(values) / std::max<std::int64_t>(rows, 1), place);
    const auto numbers = row_numbers(rows);
    const InputField field = {.transform = transform, .type = type, .output = output.view()};
    backend.load_input(
        {.raw = raw.data() + 1,
         .row_bytes = rows == 0 ? 0 : values.size() / static_cast<std::size_t>(rows) * sizeof(T),
         .numbers = numbers},
        3, std::span(&field, 1));
    return output.get();
}

// The transform standardize, with its arrays in the backend's memory.
class Standardize {
 public:
    Standardize(Backend& backend, const std::vector<double>& mean, const std::vector<double>& inverse)
        : mean_(copy(backend, mean)), inverse_(copy(backend, inverse)) {}

    InputTransform transform() const {
        InputTransform transform;
        transform.kind = Transform::standardize;
        transform.mean = mean_.as<double>();
        transform.inverse_deviation = inverse_.as<double>();
        return transform;
    }

 private:
    static Buffer copy(Backend& backend, const std::vector<double>& values) {
        Buffer buffer = backend.allocate(values.size() * sizeof(double));
        backend.copy_in(buffer.as<double>(), values.data(), buffer.bytes());
        return buffer;
    }

    Buffer mean_;
    Buffer inverse_;
};

template <class T>
void expect_loads(Backend& backend, ElementType type, const std::vector<T>& values) {
    SCOPED_TRACE(element_name(type));
    EXPECT_EQ(element_bytes(type), sizeof(T));
    InputTransform transform;
    transform.scale = 0.25;
    const auto rows = std::ssize(values);
    const auto loaded = load(backend, transform, type, values, rows, {2, 1});
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(loaded[i], static_cast<float>(values[i]) * 0.25F);
}

TEST_P(BackendTest, LoadsEveryElementType) {
    expect_loads<std::uint8_t>(backend(), ElementType::uint8, {0, 1, 255});
    expect_loads<std::int8_t>(backend(), ElementType::int8, {-128, -1, 127});
    expect_loads<std::uint16_t>(backend(), ElementType::uint16, {0, 1, 65535});
    expect_loads<std::int16_t>(backend(), ElementType::int16, {-32768, 1, 32767});
    expect_loads<std::uint32_t>(backend(), ElementType::uint32, {0, 1, 4294967295});
    expect_loads<std::int32_t>(backend(), ElementType::int32, {-2147483647, 1, 2147483647});
    expect_loads<std::uint64_t>(backend(), ElementType::uint64, {0, 1, std::uint64_t{1} << 63});
    expect_loads<std::int64_t>(backend(), ElementType::int64, {-(std::int64_t{1} << 62), 1, 5});
    expect_loads<float>(backend(), ElementType::float32, {-1.5F, 0, 1e30F});
    expect_loads<double>(backend(), ElementType::float64, {-1.5, 1e-300, 0.1});
}

TEST_P(BackendTest, AScaleOfOne255thTakesBytesToTheUnitInterval) {
    InputTransform transform;
    transform.scale = 1.0F / 255;
    const auto loaded = load<std::uint8_t>(backend(), transform, ElementType::uint8, {0, 128, 255}, 1);
    EXPECT_EQ(loaded, (std::vector<float>{0, 128 * (1.0F / 255), 1}));
}

TEST_P(BackendTest, BinarizeComparesWithTheCountersUniformNumber) {
    InputTransform transform;
    transform.scale = 1.0F / 255;
    transform.kind = Transform::binarize;
    transform.random = CounterRandom(5, Purpose::binarize);
    for (const std::int64_t columns : kSizes) {
        const std::int64_t rows = 3;
        std::vector<std::uint8_t> values;
        for (std::int64_t i = 0; i < rows * columns; ++i)
            values.push_back(static_cast<std::uint8_t>(i * 37));
        const auto numbers = row_numbers(rows);
        std::vector<float> expected;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t row = i / static_cast<std::size_t>(columns);
            const auto feature = static_cast<std::uint32_t>(i % static_cast<std::size_t>(columns));
            const float uniform =
                transform.random.uniform(3, static_cast<std::uint64_t>(numbers[row]), feature);
            expected.push_back(uniform < static_cast<float>(values[i]) * (1.0F / 255) ? 1.0F : 0.0F);
        }
        EXPECT_EQ(load(backend(), transform, ElementType::uint8, values, rows, {1, 2}), expected);
    }
}

TEST_P(BackendTest, ThresholdCutsAtOneHalfOfTheScaledValue) {
    InputTransform transform;
    transform.scale = 0.25F;
    transform.kind = Transform::threshold;
    EXPECT_EQ(load<std::int32_t>(backend(), transform, ElementType::int32, {-9, 0, 1, 2, 3, 4}, 2),
              (std::vector<float>{0, 0, 0, 1, 1, 1}));
}

TEST_P(BackendTest, StandardizeShiftsAndScalesEachFeature) {
    const Standardize standardize(backend(), {1, 2, 3}, {1, 0.5, 2});
    EXPECT_EQ(
        load<float>(backend(), standardize.transform(), ElementType::float32, {1, 2, 3, 4, 5, 6}, 2, {2, 1}),
        (std::vector<float>{0, 0, 0, 3, 1.5F, 6}));
}

TEST_P(BackendTest, StandardizeKeepsWhatFloatsCannotTellApart) {
    const Standardize standardize(backend(), {1.7e9 * 0.5}, {0.1});
    InputTransform transform = standardize.transform();
    transform.scale = 0.5;
    EXPECT_EQ(load<double>(backend(), transform, ElementType::float64, {1.7e9, 1.7e9 + 3, 1.7e9 - 0.5}, 3),
              (std::vector<float>{0, 0.15F, -0.025F}));
    EXPECT_EQ(load<std::int64_t>(backend(), transform, ElementType::int64, {1700000001, 1699999999}, 2),
              (std::vector<float>{0.05F, -0.05F}));
}

TEST_P(BackendTest, TheProductWithTheScaleIsRoundedOnce) {
    InputTransform transform;
    transform.scale = 1e-40;  // no normal float
    EXPECT_EQ(load<double>(backend(), transform, ElementType::float64, {1e40, 5e39}, 1),
              (std::vector<float>{1, 0.5F}));
    transform.scale = 1.0 / 255;
    std::vector<std::uint8_t> values(256);
    std::iota(values.begin(), values.end(), std::uint8_t{0});
    const auto loaded = load(backend(), transform, ElementType::uint8, values, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(loaded[i], static_cast<float>(values[i] * (1.0 / 255)));
}

TEST_P(BackendTest, Log1pIsAccurateNearZeroAndFar) {
    InputTransform transform;
    transform.kind = Transform::log1p;
    std::vector<float> values = {0, 1e-30F, 1e30F, std::nextafter(-1.0F, 0.0F)};
    for (float value = 1e-7F; value < 1e6F; value *= 1.01F)
        values.insert(values.end(), {value, std::max(-value, -0.99F)});
    const auto loaded = load(backend(), transform, ElementType::float32, values, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_FLOAT_EQ(loaded[i], std::log1p(values[i])) << values[i];
}

TEST_P(BackendTest, ALogarithmDoesNotDependOnItsPlaceInTheRow) {
    InputTransform transform;
    transform.kind = Transform::log1p;
    for (const std::int64_t columns : kSizes) {
        const std::vector<float> values(static_cast<std::size_t>(columns), 0.3F);
        const auto loaded = load(backend(), transform, ElementType::float32, values, 1);
        EXPECT_EQ(loaded, std::vector<float>(values.size(), loaded[0]));
        EXPECT_EQ(loaded[0], load<float>(backend(), transform, ElementType::float32, {0.3F}, 1)[0]);
    }
}

TEST_P(BackendTest, LoadsNoRows) {
    const Tensor output(backend(), 0, 5);
    InputTransform transform;
    transform.kind = Transform::binarize;
    const InputField field = {.transform = transform, .type = ElementType::uint8, .output = output.view()};
    backend().load_input({}, 0, std::span(&field, 1));
}

}  // namespace
}  // namespace vae_dist
