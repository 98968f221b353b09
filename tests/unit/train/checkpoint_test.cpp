#include "vae_dist/train/record/checkpoint.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/train/same_checkpoint.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/core/files.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/train/record/run_directory.hpp"

namespace vae_dist {
namespace {

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
    for (const char* added :
         {"iwae_bound", "best_iwae_bound", "log_window_iwae_bound", "data_type", "data_files", "data_form",
          "data_sample", "validation_files", "validation_form", "validation_sample"})
        file.remove_attribute("/", added);
    file.close();
    Checkpoint expected = written;
    expected.data_type.clear();
    expected.data_identity = {};
    expected.progress.validation_bound = expected.progress.best_bound = std::nan("");
    expected.progress.window.sums = {{"kl", 0.1}, {"reconstruction", -1234.0 / 7}};
    const Checkpoint read = parse_checkpoint(read_bytes(folder.file("c.h5")), "c.h5");
    EXPECT_TRUE(std::isnan(read.progress.validation_bound));
    EXPECT_TRUE(std::isnan(read.progress.best_bound));
    expected.progress.validation_bound = read.progress.validation_bound;  // whichever NaN it is
    expected.progress.best_bound = read.progress.best_bound;
    EXPECT_TRUE(same(read, expected));

    const auto expect_error_without = [&](const char* attribute, const char* text) {
        write_file_atomically(folder.file("c.h5"), checkpoint_bytes(written));
        hdf5::File torn = hdf5::File::open_for_writing(folder.file("c.h5"));
        torn.remove_attribute("/", attribute);
        torn.close();
        expect_error(ErrorKind::input, {text},
                     [&] { parse_checkpoint(read_bytes(folder.file("c.h5")), "c.h5"); });
    };
    expect_error_without("best_elbo", "best_elbo");
    expect_error_without("log_window_kl", "incomplete");
    expect_error_without("log_window_samples", "log_window_samples");
}

TEST(Checkpoint, TheLogWindowHasTheTermsThatTheModelHas) {
    Checkpoint written = small_checkpoint();
    written.progress.window.sums = {{"reconstruction", -3}, {"kl/2", 0.25}, {"kl/1", 0.5}};
    const auto bytes = checkpoint_bytes(written);
    const hdf5::File file = hdf5::File::open_bytes(bytes, "c.h5");
    EXPECT_EQ(file.read_double_attribute("/", "log_window_kl/2"), 0.25);
    EXPECT_FALSE(file.has_attribute("/", "log_window_kl"));
    TermValues read(std::vector<std::string>{"reconstruction", "kl/1", "kl/2"});
    read.assign_by_name(parse_checkpoint(bytes, "c.h5").progress.window.sums);
    EXPECT_TRUE(same(read, TermValues{{"reconstruction", -3}, {"kl/1", 0.5}, {"kl/2", 0.25}}));
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
                 [bytes = file.take_image()] { parse_checkpoint(bytes, "data.h5"); });
    const std::string text = "latent_dim: 2";
    expect_error(ErrorKind::input, {"notes.txt"},
                 [&] { parse_checkpoint(std::as_bytes(std::span(text)), "notes.txt"); });
    expect_error(ErrorKind::input, {"empty.h5"}, [] { parse_checkpoint({}, "empty.h5"); });
}

TEST(Checkpoint, APendingEndOfAnEpochIsKeptAndLeavesNoTraceWhereThereIsNone) {
    Checkpoint written = without_directory(small_checkpoint());
    const std::vector<std::byte> without = checkpoint_bytes(written);
    EXPECT_FALSE(hdf5::File::open_bytes(without, "c.h5").has_attribute("/", "epoch_end_pending"));
    EXPECT_FALSE(parse_checkpoint(without, "c.h5").progress.epoch_end_pending);
    written.progress.epoch_end_pending = true;
    const std::vector<std::byte> with = checkpoint_bytes(written);
    EXPECT_EQ(hdf5::File::open_bytes(with, "c.h5").read_int_attribute("/", "epoch_end_pending"), 1);
    EXPECT_TRUE(same(parse_checkpoint(with, "c.h5"), written));
}

TEST(Checkpoint, ArraysOfSeveralChunksComeBackToTheBit) {
    Checkpoint written = without_directory(small_checkpoint());
    written.optimizer.clear();
    written.model.clear();
    // Cut along the first dimension, along both, and not evenly.
    for (const auto& shape : std::vector<std::vector<std::int64_t>>{{3000, 701}, {3, 1500000}, {1048577}}) {
        NamedArray& array = written.model.emplace_back();
        array.name = "array " + std::to_string(written.model.size());
        array.shape = shape;
        array.values.resize(static_cast<std::size_t>(element_count(shape)));
        for (std::size_t i = 0; i < array.values.size(); ++i)
            array.values[i] = static_cast<float>(i % 1000003);
    }
    const std::vector<std::byte> bytes = checkpoint_bytes(written);
    EXPECT_TRUE(same(parse_checkpoint(bytes, "c.h5"), written));
    EXPECT_EQ(bytes, checkpoint_bytes(written));
}

}  // namespace
}  // namespace vae_dist
