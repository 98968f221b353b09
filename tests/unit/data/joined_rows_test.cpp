#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "support/expect_error.hpp"
#include "unit/data/memory_rows.hpp"
#include "vae_dist/data/loader/batch_loader.hpp"
#include "vae_dist/data/loader/input_pipeline.hpp"

namespace vae_dist {
namespace {

constexpr std::int64_t kRows = 50;

// Samples of three bytes, with a double and two floats beside each: types and blocks of their own.
std::vector<std::uint8_t> samples() {
    std::vector<std::uint8_t> values(3 * kRows);
    std::iota(values.begin(), values.end(), std::uint8_t{0});
    return values;
}
std::vector<double> energies() {
    std::vector<double> values;
    for (std::int64_t r = 0; r < kRows; ++r)
        values.push_back(1e6 + 0.25 * static_cast<double>(r));
    return values;
}
std::vector<float> places() {
    std::vector<float> values;
    for (std::int64_t r = 0; r < 2 * kRows; ++r)
        values.push_back(static_cast<float>(-r));
    return values;
}

std::unique_ptr<RowSource> joined(const std::vector<double>& energy = energies()) {
    std::vector<NamedRows> side;
    side.push_back({"energy", std::make_unique<MemoryRows>("energy", ElementType::float64,
                                                           std::vector<std::int64_t>{}, energy, 7)});
    side.push_back({"place", std::make_unique<MemoryRows>("place", ElementType::float32,
                                                          std::vector<std::int64_t>{2}, places(), 50)});
    return join_rows(std::make_unique<MemoryRows>("samples", ElementType::uint8, std::vector<std::int64_t>{3},
                                                  samples(), 9),
                     std::move(side));
}

template <class T>
T number_at(const std::byte* row, const RowField& field, std::size_t i) {
    T number;
    std::memcpy(&number, row + field.offset + i * sizeof(T), sizeof number);
    return number;
}

void expect_row(const RowSource& source, std::int64_t number, const std::byte* row) {
    const std::vector<RowField> fields = source.fields();
    ASSERT_EQ(fields.size(), 3U);
    const auto r = static_cast<std::size_t>(number);
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(number_at<std::uint8_t>(row, fields[0], i), samples()[3 * r + i]);
    EXPECT_EQ(number_at<double>(row, fields[1], 0), energies()[r]);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(number_at<float>(row, fields[2], i), places()[2 * r + i]);
}

TEST(JoinedRows, HaveEachFieldInItsTypeAtItsPlace) {
    const auto source = joined();
    EXPECT_EQ(source->rows(), kRows);
    EXPECT_EQ(source->features(), 3);
    EXPECT_EQ(source->blocks().size(), 6U);
    EXPECT_EQ(form_of(*source), "3 uint8, energy scalar float64, place 2 float32");
    std::vector<std::byte> raw(20 * source->row_bytes(), std::byte{0x55});
    source->read(13, 20, raw.data());
    for (std::int64_t r = 0; r < 20; ++r)
        expect_row(*source, 13 + r, raw.data() + static_cast<std::size_t>(r) * source->row_bytes());
    // Between fields there is nothing, so that equal rows are equal bytes.
    for (std::size_t at = 3; at < source->fields()[1].offset; ++at)
        EXPECT_EQ(raw[at], std::byte{0});
    std::vector<std::byte> alone(source->source_of(1).row_bytes());
    source->source_of(1).read(4, 1, alone.data());
    EXPECT_EQ(std::memcmp(alone.data(), &energies()[4], sizeof(double)), 0);
}

TEST(JoinedRows, ASmallFieldIsReadOnce) {
    std::vector<NamedRows> side;
    auto energy =
        std::make_unique<MemoryRows>("energy", ElementType::float64, std::vector<std::int64_t>{}, energies());
    const MemoryRows& read = *energy;
    side.push_back({"energy", std::move(energy)});
    const auto source = join_rows(
        std::make_unique<MemoryRows>("samples", ElementType::uint8, std::vector<std::int64_t>{3}, samples()),
        std::move(side));
    std::vector<std::byte> row(source->row_bytes());
    for (std::int64_t r = 0; r < kRows; ++r)
        source->read(r, 1, row.data());
    EXPECT_EQ(read.reads, 1);
}

TEST(JoinedRows, NeedARowOfEachFieldForEachSample) {
    const std::vector<double> few(20, 1);
    expect_error(ErrorKind::input, {"energy has 20 rows (energy)", "50 (samples)"}, [&] { joined(few); });
}

// As many rows in all are not enough.
TEST(JoinedRows, NeedARowOfEachFieldForEachSampleOfAFile) {
    const auto in_files = [](const std::string& name, std::int64_t rows_of_first) {
        auto rows = std::make_unique<MemoryRows>(name, ElementType::float32, std::vector<std::int64_t>{},
                                                 std::vector<float>(8));
        rows->files = {{0, rows_of_first}, {rows_of_first, 8 - rows_of_first}};
        return rows;
    };
    const auto joined_files = [&](std::int64_t rows_of_first) {
        std::vector<NamedRows> side;
        side.push_back({"energy", in_files("energy", rows_of_first)});
        return join_rows(in_files("samples", 3), std::move(side));
    };
    EXPECT_EQ(joined_files(3)->rows(), 8);
    expect_error(ErrorKind::input, {"energy has 5 rows and the samples have 3", "samples row 0"},
                 [&] { joined_files(5); });
}

TEST(JoinedRows, WhatFloatCannotHoldIsNamedWithItsField) {
    std::vector<double> energy = energies();
    energy[17] = 1e39;
    std::vector<std::byte> raw(20 * joined()->row_bytes());
    expect_error(ErrorKind::input, {"energy row 17", "1e+39"},
                 [&] { joined(energy)->read(10, 20, raw.data()); });
    energy[17] = std::numeric_limits<double>::quiet_NaN();
    expect_error(ErrorKind::input, {"energy row 17", "NaN"},
                 [&] { joined(energy)->read(10, 20, raw.data()); });
}

// Whatever the cache and the number of virtual ranks, a row keeps its fields.
TEST(JoinedRows, GoThroughTheLoaderAsWhole) {
    for (const CacheMode cache : {CacheMode::memory, CacheMode::stream}) {
        auto source = joined();
        const EpochPlan plan(source->blocks(), {.seed = 3, .virtual_ranks = 3, .shuffle_window = 20});
        BatchLoader loader(
            joined(), plan,
            {.mine = {.first = 0, .count = 3}, .batch_size = 8, .cache = cache, .allowed = {0, 255, "bytes"}},
            0, 0);
        for (int batch = 0; batch < 14; ++batch) {
            for (const Slice& slice : loader.next().slices) {
                for (std::size_t i = 0; i < slice.rows.size(); ++i)
                    expect_row(*source, slice.rows[i], slice.part(i, 1).raw.data());
            }
        }
    }
}

TEST(JoinedRows, SamplesAreCheckedAndTransformedAndConditionsStandardized) {
    const auto backend = make_backend({});
    const auto source = joined();
    const InputStatistics statistics = {
        .samples = std::nullopt,
        .conditions = {{.mean = {1e6}, .deviation = {0.25}}, {.mean = {-10, 0}, .deviation = {2, 4}}}};
    InputPipeline pipeline({}, 1, *source, statistics, 8, *backend);
    std::vector<std::byte> raw(2 * source->row_bytes());
    source->read(5, 2, raw.data());
    const std::vector<std::int64_t> rows = {5, 6};
    const ModelInput input = pipeline.load({.raw = raw, .rows = rows}, 0);
    EXPECT_EQ(input.x.row(1)[2], 20.0F / 255);
    ASSERT_EQ(input.conditions.size(), 2U);
    EXPECT_EQ(input.conditions[0].row(0)[0], 5);
    EXPECT_EQ(input.conditions[0].row(1)[0], 6);
    EXPECT_EQ(input.conditions[1].row(1)[0], -1);
    EXPECT_EQ(input.conditions[1].row(1)[1], -3.25F);
    EXPECT_EQ(standardized(std::vector<double>{1e6 + 1.5}, statistics.conditions[0])[0], 6);
}

}  // namespace
}  // namespace vae_dist
