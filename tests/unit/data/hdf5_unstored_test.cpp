// Rows that are stored nowhere are refused, for HDF5 would give fill values.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "data/hdf5/unstored.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

using hdf5::Handle;
using Sizes = std::vector<hsize_t>;

Handle space_of(const Sizes& sizes, const Sizes& most = {}) {
    return {
        H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), most.empty() ? nullptr : most.data()),
        H5Sclose};
}

Handle part_of(const Sizes& sizes, const Sizes& start, const Sizes& count, const Sizes& most = {}) {
    Handle space = space_of(sizes, most);
    const Sizes ones(sizes.size(), 1);
    const bool endless = std::find(count.begin(), count.end(), H5S_UNLIMITED) != count.end();
    EXPECT_GE(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr,
                                  endless ? ones.data() : count.data(), endless ? count.data() : nullptr),
              0);
    return space;
}

class UnstoredRows : public testing::Test {
 protected:
    Handle creation() const { return {H5Pcreate(H5P_DATASET_CREATE), H5Pclose}; }

    // A dataset x of float32, of which the parts [start, start + count) are written.
    void make(const std::string& name, const Sizes& sizes, const Handle& properties,
              const std::vector<std::pair<Sizes, Sizes>>& parts, const Sizes& most = {}) const {
        hdf5::File file = hdf5::File::create(folder_.file(name));
        {
            const Handle made(H5Dcreate2(file.id(), "x", H5T_NATIVE_FLOAT, space_of(sizes, most).get(),
                                         H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                              H5Dclose);
            ASSERT_TRUE(made);
            for (const auto& [start, count] : parts) {
                const std::vector<float> ones(1000, 1);
                const Handle space = part_of(sizes, start, count);
                ASSERT_GE(H5Dwrite(made.get(), H5T_NATIVE_FLOAT, space_of(count).get(), space.get(),
                                   H5P_DEFAULT, ones.data()),
                          0);
            }
        }
        file.close();
    }

    void make_chunked(const std::vector<std::pair<Sizes, Sizes>>& parts, const Sizes& chunk = {10, 4}) const {
        const Handle properties = creation();
        H5Pset_chunk(properties.get(), 2, chunk.data());
        make("d.h5", {50, 4}, properties, parts);
    }

    std::string text(hdf5::SampleDimension samples = hdf5::SampleDimension::first) const {
        const auto found = hdf5::find_unstored_rows(hdf5::File::open(folder_.file("d.h5")), "x", samples);
        return found ? found->text() : "none";
    }

    std::unique_ptr<RowSource> open(Conventions conventions = Conventions::automatic) const {
        return open_hdf5_rows({{folder_.file("d.h5")}, "x"}, {.conventions = conventions});
    }

    void expect_refused(std::initializer_list<std::string> parts) const {
        expect_error(ErrorKind::input, parts, [&] { open(); });
        EXPECT_EQ(open(Conventions::none)->rows(), 50);
    }

    TemporaryFolder folder_;
};

TEST_F(UnstoredRows, ChunksThatWereNeverWrittenAreNamed) {
    make_chunked({{{0, 0}, {20, 4}}});
    expect_refused({"d.h5:x", "rows 20 to 49 were never written", "30 of 50 (60%)", "fill value",
                    "data.conventions: none"});
    make_chunked({{{0, 0}, {10, 4}}, {{20, 0}, {10, 4}}, {{45, 0}, {5, 4}}});
    expect_refused({"rows 10 to 19 and 30 to 39 were never written", "20 of 50 (40%)"});
    make_chunked({{{0, 0}, {50, 4}}});
    EXPECT_EQ(text(), "none");
    EXPECT_EQ(open()->rows(), 50);
}

TEST_F(UnstoredRows, AChunkThatHoldsPartOfARowCountsToo) {
    make_chunked({{{0, 0}, {50, 2}}, {{0, 2}, {30, 2}}}, {10, 2});
    expect_refused({"d.h5:x: columns 2 to 3 of rows 30 to 49 were never written: in 20 of 50 rows (40%)"});
    EXPECT_EQ(text(hdf5::SampleDimension::last),
              "columns 30 to 49 of rows 2 to 3 were never written: in 2 of 4 rows (50%)");
}

TEST_F(UnstoredRows, ColumnsThatWereNeverWrittenAreNamedAsSuch) {
    make_chunked({{{0, 0}, {50, 1}}, {{0, 2}, {50, 1}}}, {10, 1});
    EXPECT_EQ(text(), "columns 1 and 3 of rows 0 to 49 were never written: in 50 of 50 rows (100%)");
    make_chunked({{{0, 0}, {49, 3}}, {{0, 3}, {50, 1}}}, {1, 1});
    EXPECT_EQ(text(), "columns 0 to 2 of row 49 were never written: in 1 of 50 rows (2%)");
    make_chunked({{{0, 0}, {49, 4}}}, {1, 4});
    EXPECT_EQ(text(), "row 49 was never written: 1 of 50 (2%)");
    // Ten rows lack everything, ten more only some columns.
    make_chunked({{{0, 0}, {40, 2}}, {{0, 2}, {30, 2}}}, {10, 2});
    EXPECT_EQ(text(), "parts of rows 30 to 49 were never written: in 20 of 50 rows (40%)");
}

TEST_F(UnstoredRows, CompressedChunksAreCounted) {
    const Handle properties = creation();
    const Sizes chunk = {10, 4};
    H5Pset_chunk(properties.get(), 2, chunk.data());
    H5Pset_deflate(properties.get(), 1);
    make("d.h5", {50, 4}, properties, {{{10, 0}, {40, 4}}});
    expect_refused({"rows 0 to 9 were never written", "10 of 50 (20%)"});
}

TEST_F(UnstoredRows, ADatasetThatNeverHadStorageHasNoRowAtAll) {
    make("d.h5", {50, 4}, creation(), {});
    expect_refused({"rows 0 to 49 were never written", "50 of 50 (100%)"});
    make_chunked({});
    expect_refused({"rows 0 to 49 were never written", "50 of 50 (100%)"});
    make("d.h5", {50, 4}, creation(), {{{0, 0}, {1, 4}}});
    EXPECT_EQ(text(), "none");
}

TEST_F(UnstoredRows, ExternalFilesThatAreTooShortAreNamed) {
    const std::string raw = folder_.file("raw.bin");
    const Handle properties = creation();
    H5Pset_external(properties.get(), raw.c_str(), 16, 800);
    make("d.h5", {50, 4}, properties, {});
    expect_error(ErrorKind::input,
                 {"d.h5:x", "external file", "raw.bin", "No such file", "HDF5_EXTFILE_PREFIX"},
                 [&] { open(); });
    std::ofstream(raw) << std::string(16 + 160 + 8, 'a');
    expect_refused(
        {"d.h5:x: rows 10 to 49 lie beyond the end of the external file", "raw.bin", "40 of 50 (80%)"});
    std::ofstream(raw) << std::string(16 + 800, 'a');
    EXPECT_EQ(text(), "none");
    EXPECT_EQ(open()->rows(), 50);
}

class UnmappedRows : public UnstoredRows {
 protected:
    UnmappedRows() { write_float_rows(folder_.file("a.h5"), "x", 4, std::vector<float>(80, 1)); }

    struct Mapping {
        Sizes start;
        Sizes count;
        std::string file = "a.h5";
        Sizes source_start = {0, 0};
        Sizes source_sizes = {20, 4};
    };

    void make_virtual(const std::vector<Mapping>& mappings) const {
        const Handle properties = creation();
        for (const Mapping& mapping : mappings) {
            const Handle here = part_of({50, 4}, mapping.start, mapping.count);
            const Handle there = part_of(mapping.source_sizes, mapping.source_start, mapping.count);
            ASSERT_GE(H5Pset_virtual(properties.get(), here.get(), mapping.file.c_str(), "x", there.get()),
                      0);
        }
        make("d.h5", {50, 4}, properties, {});
    }
};

TEST_F(UnmappedRows, AreNamed) {
    make_virtual({{{0, 0}, {20, 4}}, {{30, 0}, {10, 4}}});
    expect_refused({"d.h5:x: rows 20 to 29 and 40 to 49 have no dataset mapped to them", "20 of 50 (40%)"});
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {20, 4}}, {{40, 0}, {10, 4}}});
    EXPECT_EQ(text(), "none");
}

TEST_F(UnmappedRows, MayBeMappedByColumns) {
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {20, 2}}, {{20, 2}, {20, 2}}, {{40, 0}, {10, 1}}});
    expect_refused(
        {"d.h5:x: columns 1 to 3 of rows 40 to 49 have no dataset mapped to them", "in 10 of 50 rows (20%)"});
    // The same columns twice make no whole row.
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {20, 2}}, {{20, 0}, {20, 2}}, {{40, 0}, {10, 4}}});
    expect_refused({"columns 2 to 3 of rows 20 to 39 have no dataset mapped to them"});
}

TEST_F(UnmappedRows, AreThoseOfASourceThatIsTooSmallOrHasNeverBeenWritten) {
    write_float_rows(folder_.file("small.h5"), "x", 4, std::vector<float>(12, 1));
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {20, 4}, "small.h5"}, {{40, 0}, {10, 4}}});
    expect_error(ErrorKind::input, {"rows 20 to 39"}, [&] { open(); });
    const Handle properties = creation();
    const Sizes chunk = {10, 4};
    H5Pset_chunk(properties.get(), 2, chunk.data());
    make("half.h5", {20, 4}, properties, {{{0, 0}, {10, 4}}});
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {20, 4}, "half.h5"}, {{40, 0}, {10, 4}, "half.h5"}});
    expect_refused({"rows 30 to 39"});
}

// A mapping without a limit: as many rows as the source has.
TEST_F(UnmappedRows, AreNoneWhereASourceGrows) {
    const Handle properties = creation();
    const Handle here = part_of({20, 4}, {0, 0}, {H5S_UNLIMITED, 4}, {H5S_UNLIMITED, 4});
    const Handle there = part_of({20, 4}, {0, 0}, {H5S_UNLIMITED, 4}, {H5S_UNLIMITED, 4});
    ASSERT_GE(H5Pset_virtual(properties.get(), here.get(), "a.h5", "x", there.get()), 0);
    make("d.h5", {20, 4}, properties, {}, {H5S_UNLIMITED, 4});
    EXPECT_EQ(text(), "none");
    EXPECT_EQ(open()->rows(), 20);
}

TEST_F(UnmappedRows, OfADatasetMadeOfItselfEndsTheSearch) {
    make_virtual({{{0, 0}, {20, 4}}, {{20, 0}, {30, 4}, ".", {0, 0}, {50, 4}}});
    text();
}

}  // namespace
}  // namespace vae_dist
