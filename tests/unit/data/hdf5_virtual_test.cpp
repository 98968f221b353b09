#include <gtest/gtest.h>

#include <filesystem>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/data/inspect/inspect.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

struct Source {
    std::string file;
    std::string dataset = "x";
};

hdf5::Handle space_of(hsize_t rows, hsize_t most) {
    const hsize_t size[] = {rows, 2};
    const hsize_t limit[] = {most, 2};
    return {H5Screate_simple(2, size, limit), H5Sclose};
}

hdf5::Handle rows_of(hsize_t rows, hsize_t first, hsize_t count) {
    hdf5::Handle space = space_of(rows, rows);
    const hsize_t start[] = {first, 0};
    const hsize_t size[] = {count, 2};
    EXPECT_GE(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, size, nullptr), 0);
    return space;
}

class VirtualDataset : public testing::Test {
 protected:
    // A dataset `name` in a new file, of two rows of each source; every source has two rows of two.
    void make(const std::string& file_name, const std::vector<Source>& sources,
              const std::string& name = "all") const {
        const hsize_t rows = 2 * sources.size();
        const hdf5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const hdf5::Handle here = rows_of(rows, 2 * i, 2);
            const hdf5::Handle there = rows_of(2, 0, 2);
            ASSERT_GE(H5Pset_virtual(creation.get(), here.get(), sources[i].file.c_str(),
                                     sources[i].dataset.c_str(), there.get()),
                      0);
        }
        create(file_name, name, space_of(rows, rows), creation);
    }

    // A dataset of one row from each file of a pattern, as many as there are.
    void make_unlimited(const std::string& file_name, const std::string& pattern) const {
        const hdf5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        const hdf5::Handle here = space_of(2, H5S_UNLIMITED);
        const hsize_t start[] = {0, 0};
        const hsize_t stride[] = {2, 1};
        const hsize_t count[] = {H5S_UNLIMITED, 1};
        const hsize_t block[] = {2, 2};
        ASSERT_GE(H5Sselect_hyperslab(here.get(), H5S_SELECT_SET, start, stride, count, block), 0);
        const hdf5::Handle there = space_of(2, 2);
        ASSERT_GE(H5Pset_virtual(creation.get(), here.get(), pattern.c_str(), "x", there.get()), 0);
        create(file_name, "all", space_of(2, H5S_UNLIMITED), creation);
    }

    void create(const std::string& file_name, const std::string& name, const hdf5::Handle& space,
                const hdf5::Handle& creation) const {
        const bool there = std::filesystem::exists(folder_.file(file_name));
        const hdf5::File file = there ? hdf5::File::open_for_writing(folder_.file(file_name))
                                      : hdf5::File::create(folder_.file(file_name));
        const hdf5::Handle made(H5Dcreate2(file.id(), name.c_str(), H5T_NATIVE_FLOAT, space.get(),
                                           H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                                H5Dclose);
        ASSERT_TRUE(made);
    }

    void make_source(const std::string& name, float value) const {
        write_float_rows(folder_.file(name), "x", 2, std::vector<float>(4, value));
    }

    std::unique_ptr<RowSource> open(const std::string& dataset = "all") const {
        return open_hdf5_rows({{folder_.file("v.h5")}, dataset});
    }

    // The first number of each row.
    std::vector<float> read() const {
        const auto source = open();
        std::vector<float> values(static_cast<std::size_t>(2 * source->rows()));
        source->read(0, source->rows(), reinterpret_cast<std::byte*>(values.data()));
        std::vector<float> first;
        for (std::size_t i = 0; i < values.size(); i += 2)
            first.push_back(values[i]);
        return first;
    }

    TemporaryFolder folder_;
};

TEST_F(VirtualDataset, IsReadFromItsSources) {
    make_source("a.h5", 1);
    make_source("b.h5", 2);
    make_source("100%.h5", 3);
    make("v.h5", {{"a.h5"}, {folder_.file("b.h5")}, {"100%%.h5"}});
    EXPECT_EQ(read(), (std::vector<float>{1, 1, 2, 2, 3, 3}));
    EXPECT_NE(open()->description().find("virtual"), std::string::npos) << open()->description();
    EXPECT_NE(describe_data_file(folder_.file("v.h5")).find("virtual"), std::string::npos);
}

// The library opens the sources by itself while the first one reads.
TEST_F(VirtualDataset, IsReadBySeveralAtOnce) {
    make_source("a.h5", 1);
    make("v.h5", {{"a.h5"}});
    const auto one = open();
    std::vector<float> row(2);
    one->read(0, 1, reinterpret_cast<std::byte*>(row.data()));
    EXPECT_EQ(read(), (std::vector<float>{1, 1}));
}

TEST_F(VirtualDataset, WithAMissingFileIsRefusedInsteadOfReadAsZeros) {
    make_source("a.h5", 1);
    make("v.h5", {{"a.h5"}, {"gone.h5"}});
    expect_error(ErrorKind::input, {"v.h5:all", "'gone.h5' is missing"}, [&] { open(); });
    EXPECT_NE(describe_data_file(folder_.file("v.h5")).find("'gone.h5' is missing"), std::string::npos);
}

TEST_F(VirtualDataset, WithAMissingDatasetOrADamagedFileIsRefused) {
    make_source("a.h5", 1);
    make("v.h5", {{"a.h5", "x"}, {"a.h5", "y"}});
    expect_error(ErrorKind::input, {"v.h5:all", "a.h5:y", "does not exist"}, [&] { open(); });
    std::filesystem::resize_file(folder_.file("a.h5"), 600);
    expect_error(ErrorKind::input, {"v.h5:all", "a.h5"}, [&] { open(); });
}

TEST_F(VirtualDataset, OfVirtualOnesIsCheckedToTheBottom) {
    make_source("a.h5", 1);
    make("half.h5", {{"gone.h5"}});
    make("v.h5", {{"a.h5"}, {"half.h5", "all"}});
    expect_error(ErrorKind::input, {"half.h5:all", "'gone.h5' is missing"}, [&] { open(); });
    make_source("gone.h5", 5);
    EXPECT_EQ(read(), (std::vector<float>{1, 1, 5, 5}));
}

TEST_F(VirtualDataset, OfItsOwnFileIsCheckedThere) {
    make_source("v.h5", 4);
    make("v.h5", {{"."}});
    EXPECT_EQ(read(), (std::vector<float>{4, 4}));
    make("v.h5", {{".", "gone"}}, "other");
    expect_error(ErrorKind::input, {"v.h5:other", "v.h5:gone"}, [&] { open("other"); });
}

TEST_F(VirtualDataset, OfNumberedFilesNeedsTheFirst) {
    make_unlimited("v.h5", "part_%b.h5");
    expect_error(ErrorKind::input, {"v.h5:all", "'part_0.h5' is missing"}, [&] { open(); });
    make_source("part_0.h5", 6);
    make_source("part_1.h5", 7);
    EXPECT_EQ(read(), (std::vector<float>{6, 6, 7, 7}));
}

}  // namespace
}  // namespace vae_dist
