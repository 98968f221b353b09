#include "vae_dist/train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/core/files.hpp"
#include "vae_dist/data/hdf5.hpp"
#include "vae_dist/train/run_directory.hpp"

namespace vae_dist {
namespace {

// Equal to the bit, NaNs too.
template <class T>
bool same_bits(const T& a, const T& b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

bool same(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedArray& x, const NamedArray& y) {
        return x.name == y.name && x.shape == y.shape && same(x.values, y.values);
    });
}

bool same(const Progress& a, const Progress& b) {
    return a.step == b.step && a.epoch == b.epoch && a.samples_in_epoch == b.samples_in_epoch &&
           a.updates == b.updates && a.nonfinite_in_a_row == b.nonfinite_in_a_row &&
           same_bits(a.validation_elbo, b.validation_elbo) && same_bits(a.best_elbo, b.best_elbo) &&
           same_bits(a.window.reconstruction, b.window.reconstruction) &&
           same_bits(a.window.kl, b.window.kl) && a.window.samples == b.window.samples;
}

bool same(const std::optional<FeatureStatistics>& a, const std::optional<FeatureStatistics>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return same(a->mean, b->mean) && same(a->deviation, b->deviation) && a->rows == b->rows;
}

bool same(const Checkpoint& a, const Checkpoint& b) {
    return same(a.progress, b.progress) && a.config == b.config && a.created_by == b.created_by &&
           a.data_rows == b.data_rows && a.data_fingerprint == b.data_fingerprint &&
           a.row_shape == b.row_shape && a.data_type == b.data_type && same(a.model, b.model) &&
           std::equal(
               a.optimizer.begin(), a.optimizer.end(), b.optimizer.begin(), b.optimizer.end(),
               [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); }) &&
           same(a.statistics, b.statistics);
}

Checkpoint without_directory(Checkpoint checkpoint) {
    checkpoint.config.output.directory.clear();
    return checkpoint;
}

TEST(Checkpoint, EveryFieldComesBackToTheBit) {
    const Checkpoint written = small_checkpoint();
    const Checkpoint read = parse_checkpoint(checkpoint_bytes(written), "c.h5");
    EXPECT_TRUE(same(read.progress, written.progress));
    EXPECT_EQ(read.config, without_directory(written).config);
    EXPECT_EQ(read.created_by, written.created_by);
    EXPECT_EQ(read.data_rows, written.data_rows);
    EXPECT_EQ(read.data_fingerprint, written.data_fingerprint);
    EXPECT_EQ(read.row_shape, written.row_shape);
    EXPECT_TRUE(same(read.model, written.model));
    ASSERT_EQ(read.optimizer.size(), 2U);
    EXPECT_TRUE(same(read, without_directory(written)));
}

TEST(Checkpoint, WithoutStatisticsAndForScalarSamplesItComesBackToo) {
    Checkpoint written = without_directory(small_checkpoint());
    written.statistics.reset();
    written.row_shape.clear();
    EXPECT_TRUE(same(parse_checkpoint(checkpoint_bytes(written), "c.h5"), written));
}

TEST(Checkpoint, OneFromBeforeTheBoundAndTheTypeOfTheDataWereRecordedIsRead) {
    const TemporaryFolder folder;
    const Checkpoint written = without_directory(small_checkpoint());
    write_file_atomically(folder.file("c.h5"), checkpoint_bytes(written));
    hdf5::File file = hdf5::File::open_for_writing(folder.file("c.h5"));
    for (const char* added : {"iwae_bound", "best_iwae_bound", "log_window_iwae_bound", "data_type"})
        file.remove_attribute("/", added);
    file.close();
    Checkpoint expected = written;
    expected.data_type.clear();
    expected.progress.validation_bound = expected.progress.best_bound = std::nan("");
    expected.progress.window.iwae_bound = 0;
    const Checkpoint read = parse_checkpoint(read_bytes(folder.file("c.h5")), "c.h5");
    EXPECT_TRUE(std::isnan(read.progress.validation_bound));
    EXPECT_TRUE(std::isnan(read.progress.best_bound));
    expected.progress.validation_bound = read.progress.validation_bound;  // whichever NaN it is
    expected.progress.best_bound = read.progress.best_bound;
    EXPECT_TRUE(same(read, expected));

    hdf5::File torn = hdf5::File::open_for_writing(folder.file("c.h5"));
    torn.remove_attribute("/", "best_elbo");
    torn.close();
    expect_error(ErrorKind::input, {"best_elbo"},
                 [&] { parse_checkpoint(read_bytes(folder.file("c.h5")), "c.h5"); });
}

TEST(Checkpoint, EqualCheckpointsAreEqualFilesWhereverTheRunLies) {
    const Checkpoint first = small_checkpoint();
    Checkpoint second = small_checkpoint();
    second.config.output.directory = "elsewhere";
    EXPECT_EQ(checkpoint_bytes(first), checkpoint_bytes(second));
    second.model[0].values[1] = -2.0000002F;
    EXPECT_NE(checkpoint_bytes(first), checkpoint_bytes(second));
}

TEST(Checkpoint, IsLaidOutAsPublished) {
    const auto bytes = checkpoint_bytes(small_checkpoint());
    const hdf5::File file = hdf5::File::open_bytes(bytes, "c.h5");
    EXPECT_EQ(file.read_int_attribute("/", "format_version"), kCheckpointFormat);
    EXPECT_EQ(file.read_int_attribute("/", "step"), 7);
    EXPECT_EQ(file.read_int_attribute("/", "epoch"), 1);
    EXPECT_EQ(file.read_int_attribute("/", "samples_in_epoch"), 16);
    EXPECT_EQ(file.read_int_attribute("/", "seed"), 9);
    EXPECT_EQ(file.read_int_attribute("/", "virtual_ranks"), 4);
    EXPECT_TRUE(std::isnan(file.read_double_attribute("/", "elbo")));
    EXPECT_NE(file.read_text_attribute("/", "config").find("latent_dim: 2"), std::string::npos);
    EXPECT_NE(file.read_text_attribute("/", "created_by").find("vae_dist"), std::string::npos);
    const hdf5::DatasetInfo info = file.info("/optimizer/first_moment/decoder/output/weight");
    EXPECT_EQ(info.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(info.filters, std::vector<std::string>{"fletcher32"});
    for (const char* statistics : {"/data/mean", "/data/standard_deviation"}) {
        EXPECT_EQ(file.info(statistics).type_name, "float64");
        EXPECT_EQ(file.info(statistics).filters, std::vector<std::string>{"fletcher32"});
    }
}

TEST(Checkpoint, AnotherFormatVersionIsNamed) {
    const TemporaryFolder folder;
    write_file_atomically(folder.file("c.h5"), checkpoint_bytes(small_checkpoint()));
    hdf5::File file = hdf5::File::open_for_writing(folder.file("c.h5"));
    file.write_attribute("/", "format_version", std::int64_t{99});
    file.close();
    expect_error(ErrorKind::input, {"c.h5", "format 99", "format 1"},
                 [&] { parse_checkpoint(read_bytes(folder.file("c.h5")), "c.h5"); });
}

TEST(Checkpoint, WhatIsNoCheckpointIsRefused) {
    hdf5::File file = hdf5::File::create_in_memory();
    file.write_floats("/x", std::vector<std::int64_t>{2}, std::vector<float>{1, 2}, true);
    expect_error(ErrorKind::input, {"data.h5", "not a checkpoint"},
                 [bytes = file.image()] { parse_checkpoint(bytes, "data.h5"); });
    const std::string text = "latent_dim: 2";
    expect_error(ErrorKind::input, {"notes.txt"},
                 [&] { parse_checkpoint(std::as_bytes(std::span(text)), "notes.txt"); });
    expect_error(ErrorKind::input, {"empty.h5"}, [] { parse_checkpoint({}, "empty.h5"); });
}

TEST(Checkpoint, TruncatedAnywhereItIsRefused) {
    const auto bytes = checkpoint_bytes(small_checkpoint());
    for (std::size_t tenth = 0; tenth < 10; ++tenth) {
        const auto part = std::span(bytes).first(bytes.size() * tenth / 10);
        EXPECT_THROW(parse_checkpoint(part, "c.h5"), Error) << part.size();
    }
    EXPECT_THROW(parse_checkpoint(std::span(bytes).first(bytes.size() - 1), "c.h5"), Error);
}

TEST(Checkpoint, AFlippedBitNeverLoadsAWrongValue) {
    const Checkpoint written = without_directory(small_checkpoint());
    std::vector<std::byte> bytes = checkpoint_bytes(written);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto flip = std::byte{1} << (at % 8);
        bytes[at] ^= flip;
        try {
            EXPECT_TRUE(same(parse_checkpoint(bytes, "c.h5"), written))
                << "byte " << at << " of " << bytes.size();
        } catch (const Error&) {
            ++refused;
        }
        bytes[at] ^= flip;
    }
    EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace vae_dist
