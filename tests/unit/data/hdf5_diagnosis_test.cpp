// Where HDF5 refuses, the message says what is wrong and what to do.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"
#include "unit/data/hdf5_fixture.hpp"
#include "vae_dist/data/inspect/inspect.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

using hdf5::Handle;

class Diagnosis : public testing::Test {
 protected:
    std::string path(const std::string& name = "d.h5") const { return folder_.file(name); }

    void expect_refused(const std::string& dataset, std::initializer_list<std::string> parts,
                        const std::string& name = "d.h5") const {
        expect_error(ErrorKind::input, parts, [&] {
            const auto source = open_hdf5_rows({{path(name)}, dataset});
            std::vector<std::byte> rows(static_cast<std::size_t>(source->rows()) * source->row_bytes());
            source->read(0, source->rows(), rows.data());
        });
    }

    TemporaryFolder folder_;
};

TEST_F(Diagnosis, AFileOfAFormatThatCanBeImportedIsAnsweredWithTheCommand) {
    for (const auto& [name, format] :
         {std::pair("t.csv", "csv"), std::pair("T.TSV", "csv"), std::pair("t.csv.gz", "csv"),
          std::pair("a.npy", "npy"), std::pair("train-images-idx3-ubyte.gz", "idx")}) {
        std::ofstream(path(name)) << "1,2\n3,4\n";
        expect_refused("x",
                       {std::string(name) + "' is not an HDF5 file; vae_dist import " + format + " '",
                        std::string(name) + "' --out data.h5:train/x"},
                       name);
    }
}

// A chunk as a program stores it that has the filter.
TEST_F(Diagnosis, AFilterThatTheLibraryLacksIsNamed) {
    hdf5::File file = hdf5::File::create(path());
    {
        const hsize_t sizes[] = {4, 2};
        const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        H5Pset_chunk(creation.get(), 2, sizes);
        ASSERT_GE(H5Pset_filter(creation.get(), 32000, H5Z_FLAG_OPTIONAL, 0, nullptr), 0);
        const Handle space(H5Screate_simple(2, sizes, nullptr), H5Sclose);
        const Handle made(H5Dcreate2(file.id(), "x", H5T_NATIVE_FLOAT, space.get(), H5P_DEFAULT,
                                     creation.get(), H5P_DEFAULT),
                          H5Dclose);
        const hsize_t offset[] = {0, 0};
        ASSERT_GE(H5Dwrite_chunk(made.get(), H5P_DEFAULT, 0, offset, 5, "lzf!!"), 0);
    }
    file.close();
    expect_refused("x", {"d.h5:x' rows 0 to 3", "compressed by the filter number 32000", "lacks",
                         "HDF5_PLUGIN_PATH", "h5repack -f GZIP=4", "(HDF5: required filter"});
    EXPECT_NE(describe_data_file(path()).find("the filter number 32000"), std::string::npos);
}

TEST_F(Diagnosis, ADamagedChunkIsToldBeforeHdf5sWords) {
    write_float_rows(path(), "x", 4, hdf5::counting(400), 100);
    std::string bytes = hdf5::read_bytes(path());
    const std::size_t at = bytes.find("\x78\x01");  // where zlib's data begin, written fast
    ASSERT_NE(at, std::string::npos);
    bytes[at + 40] = static_cast<char>(bytes[at + 40] ^ 1);
    hdf5::write_bytes(path(), std::as_bytes(std::span(bytes)));
    expect_refused("x", {"d.h5:x' rows 0 to 99: the file is damaged there", "(HDF5: "});
}

// In files of the old format no checksum protects a shape. HDF5 reads beyond what is stored.
TEST_F(Diagnosis, AShapeThatTakesMoreThanIsStoredIsDamage) {
    for (const H5D_layout_t layout : {H5D_COMPACT, H5D_CONTIGUOUS}) {
        {
            const Handle file(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
            const hsize_t sizes[] = {4321, 3};
            const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
            H5Pset_layout(creation.get(), layout);
            const Handle space(H5Screate_simple(2, sizes, nullptr), H5Sclose);
            const Handle made(H5Dcreate2(file.get(), "x", H5T_NATIVE_FLOAT, space.get(), H5P_DEFAULT,
                                         creation.get(), H5P_DEFAULT),
                              H5Dclose);
            const std::vector<float> values(std::size_t{3} * 4321, 0.5F);
            ASSERT_GE(H5Dwrite(made.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
                      0);
        }
        EXPECT_EQ(open_hdf5_rows({{path()}, "x"})->rows(), 4321);
        std::string bytes = hdf5::read_bytes(path());
        const std::string size("\xe1\x10\0\0\0\0\0\0",
                               8);  // 4321, twice: the size, and the most that it may be
        std::size_t at = bytes.find(size);
        ASSERT_NE(at, std::string::npos);
        for (; at != std::string::npos; at = bytes.find(size))
            bytes[at] = '\xe2';
        hdf5::write_bytes(path(), std::as_bytes(std::span(bytes)));
        expect_refused(
            "x", {"d.h5:x' is damaged: its shape is 4322 x 3 of 4 bytes each, but it stores 51,852 bytes"});
        EXPECT_NE(describe_data_file(path()).find("is damaged"), std::string::npos);
    }
}

TEST_F(Diagnosis, ALinkWhoseTargetIsGoneIsNamed) {
    write_float_rows(path("there.h5"), "x", 1, {1});
    hdf5::File file = hdf5::File::create(path());
    H5Lcreate_external("gone.h5", "/group/x", file.id(), "a", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("there.h5", "y", file.id(), "b", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("there.h5", "x", file.id(), "good", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file.id(), "c", H5P_DEFAULT, H5P_DEFAULT);
    file.close();
    expect_refused("a", {"d.h5:a' is a link to '/group/x' in the file 'gone.h5', which is missing",
                         "looked for in '" + folder_.path().string()});
    expect_refused("b", {"d.h5:b' is a link to 'y' in the file 'there.h5', which has no such object"});
    expect_refused("c", {"d.h5:c' is a link to '/nowhere', which is not in the file"});
    expect_refused("a/x", {"d.h5:a/x' cannot be reached: 'a' is a link to", "'gone.h5', which is missing"});
    EXPECT_EQ(open_hdf5_rows({{path()}, "good"})->rows(), 1);
    const std::string text = describe_data_file(path());
    EXPECT_NE(text.find("a is a link to '/group/x' in the file 'gone.h5', which is missing"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("c is a link to '/nowhere'"), std::string::npos) << text;
}

TEST_F(Diagnosis, AMemberOfAFamilyIsNoFileByItself) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_family(access.get(), 4096, H5P_DEFAULT);
    {
        const Handle file(H5Fcreate(path("part%02d.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()),
                          H5Fclose);
        const hsize_t sizes[] = {4000};
        const Handle space(H5Screate_simple(1, sizes, nullptr), H5Sclose);
        const Handle made(
            H5Dcreate2(file.get(), "x", H5T_NATIVE_FLOAT, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
            H5Dclose);
        H5Dwrite(made.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, hdf5::counting(4000).data());
    }
    for (const char* member : {"part00.h5", "part01.h5"}) {
        expect_refused(
            "x", {member, "one part of a file", "family driver", "h5repart -family_to_sec2", "part%02d.h5"},
            member);
    }
}

TEST_F(Diagnosis, APartOfASplitFileIsNoFileByItself) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_split(access.get(), "-m.h5", H5P_DEFAULT, "-r.h5", H5P_DEFAULT);
    {
        const Handle file(H5Fcreate(path("all").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
        const hsize_t sizes[] = {40};
        const Handle space(H5Screate_simple(1, sizes, nullptr), H5Sclose);
        const Handle made(
            H5Dcreate2(file.get(), "x", H5T_NATIVE_FLOAT, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
            H5Dclose);
        H5Dwrite(made.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, hdf5::counting(40).data());
    }
    for (const char* part : {"all-m.h5", "all-r.h5"})
        expect_refused("x", {part, "one part of a file", "split or multi driver", "h5repack", "all'"}, part);
}

TEST_F(Diagnosis, WhatIsNoHdf5FileIsNoPartOfOneEither) {
    std::ofstream(path("part1.h5")) << "text";
    std::ofstream(path("a-r.h5")) << "text";
    expect_refused("x", {"part1.h5' is not an HDF5 file"}, "part1.h5");
    expect_refused("x", {"a-r.h5' is not an HDF5 file"}, "a-r.h5");
}

}  // namespace
}  // namespace vae_dist
