#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/hdf5/chunks.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/hdf5_fixture.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist::hdf5 {
namespace {

constexpr hsize_t kRows = 50;
constexpr hsize_t kFeatures = 24;
constexpr hsize_t kChunkRows = 8;

struct Layout {
    hsize_t chunk_features = kFeatures;
    bool shuffle = false;
    bool deflate = true;
    bool checksum = false;
    bool checksum_before = false;  // of deflate, as nobody does
};

class StoredChunks : public testing::Test {
 protected:
    /// The numbers value(0), value(1) ... as `file_type`, in the dataset "x", which stays open for reading.
    void write(hid_t file_type, const Layout& layout = {}) {
        close();
        const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        const hsize_t chunk[] = {kChunkRows, layout.chunk_features};
        H5Pset_chunk(properties.get(), 2, chunk);
        if (layout.checksum_before) H5Pset_fletcher32(properties.get());
        if (layout.shuffle) H5Pset_shuffle(properties.get());
        if (layout.deflate) H5Pset_deflate(properties.get(), 4);
        if (layout.checksum) H5Pset_fletcher32(properties.get());
        const hsize_t shape[] = {kRows, kFeatures};
        const Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose);
        File file = File::create(path_);
        {
            const Handle dataset(H5Dcreate2(file.id(), "x", file_type, space.get(), H5P_DEFAULT,
                                            properties.get(), H5P_DEFAULT),
                                 H5Dclose);
            std::vector<double> values(kRows * kFeatures);
            for (hsize_t i = 0; i < values.size(); ++i)
                values[i] = value(i);
            H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        }
        file.close();
        open();
    }

    static double value(hsize_t i) { return static_cast<double>(i % 101); }

    void close() {
        chunks_.reset();
        dataset_.reset();
        file_.reset();
    }

    void open() {
        file_ = std::make_unique<File>(File::open(path_));
        dataset_ = Handle(H5Dopen2(file_->id(), "x", H5P_DEFAULT), H5Dclose);
        chunks_ = detail::StoredChunks::of(dataset_.get(), file_->info("x"));
    }

    /// Changes the dataset by `change`, which gets its handle.
    template <class Change>
    void change(const Change& change) {
        close();
        File file = File::open_for_writing(path_);
        {
            const Handle dataset(H5Dopen2(file.id(), "x", H5P_DEFAULT), H5Dclose);
            change(dataset.get());
        }
        file.close();
        open();
    }

    template <class T>
    void expect_all_chunks() {
        ASSERT_NE(chunks_, nullptr);
        for (hsize_t first = 0; first < kRows; first += kChunkRows) {
            const std::span<const std::byte> chunk = chunks_->decode(static_cast<std::int64_t>(first));
            ASSERT_EQ(chunk.size(), kChunkRows * kFeatures * sizeof(T));
            for (hsize_t i = 0; i < std::min(kChunkRows, kRows - first) * kFeatures; ++i) {
                ASSERT_EQ(element_at<T>(chunk.data(), i), static_cast<T>(value(first * kFeatures + i)));
            }
        }
    }

    const TemporaryFolder folder_;
    const std::string path_ = folder_.file("chunks.h5");
    std::unique_ptr<File> file_;
    Handle dataset_;
    std::unique_ptr<detail::StoredChunks> chunks_;
};

TEST_F(StoredChunks, OfEveryWidthAreDecodedWithAndWithoutShuffleAndChecksum) {
    for (const bool shuffle : {false, true}) {
        for (const bool checksum : {false, true}) {
            const Layout layout{.shuffle = shuffle, .checksum = checksum};
            write(H5T_STD_U8LE, layout);
            expect_all_chunks<std::uint8_t>();
            write(H5T_STD_I16LE, layout);
            expect_all_chunks<std::int16_t>();
            write(H5T_IEEE_F32LE, layout);
            expect_all_chunks<float>();
            write(H5T_IEEE_F64LE, layout);
            expect_all_chunks<double>();
        }
    }
}

TEST_F(StoredChunks, AreLeftToTheLibraryWhereMoreThanDeflateHasToBeUndone) {
    write(H5T_IEEE_F32BE);
    EXPECT_EQ(chunks_, nullptr) << "another byte order";
    write(H5T_IEEE_F32LE, {.chunk_features = 10});
    EXPECT_EQ(chunks_, nullptr) << "chunks that cut rows";
    write(H5T_IEEE_F32LE, {.deflate = false});
    EXPECT_EQ(chunks_, nullptr) << "nothing to inflate";
    write(H5T_IEEE_F32LE, {.checksum_before = true});
    EXPECT_EQ(chunks_, nullptr) << "another order of filters";
}

TEST_F(StoredChunks, ThatWereStoredWithoutAFilterAreLeftToTheLibrary) {
    write(H5T_STD_U8LE, {.checksum = true});
    const std::vector<std::uint8_t> values(kChunkRows * kFeatures, 7);
    change([&](hid_t dataset) {
        const hsize_t offset[] = {kChunkRows, 0};
        constexpr std::uint32_t kBoth = 3;
        H5Dwrite_chunk(dataset, H5P_DEFAULT, kBoth, offset, values.size(), values.data());
    });
    EXPECT_TRUE(chunks_->decode(kChunkRows).empty());
    std::vector<std::uint8_t> back(values.size());
    RowReader(path_, "x").read(kChunkRows, kChunkRows, reinterpret_cast<std::byte*>(back.data()));
    EXPECT_EQ(back, values);
}

TEST_F(StoredChunks, ThatWereNeverWrittenHoldTheFillValue) {
    write(H5T_STD_U8LE);
    change([](hid_t dataset) {
        const hsize_t fewer[] = {kChunkRows, kFeatures};
        const hsize_t again[] = {kRows, kFeatures};
        H5Dset_extent(dataset, fewer);
        H5Dset_extent(dataset, again);
    });
    ASSERT_FALSE(chunks_->decode(0).empty());
    EXPECT_TRUE(chunks_->decode(kChunkRows).empty());
    std::vector<std::uint8_t> back(kRows * kFeatures, 9);
    RowReader(path_, "x").read(0, kRows, reinterpret_cast<std::byte*>(back.data()));
    EXPECT_EQ(back[kChunkRows * kFeatures - 1], value(kChunkRows * kFeatures - 1));
    EXPECT_EQ(back.back(), 0);
}

TEST_F(StoredChunks, ThatAreDamagedAreRefusedInTheLibrarysWords) {
    for (const bool checksum : {false, true}) {
        write(H5T_STD_U8LE, {.checksum = checksum});
        change([](hid_t dataset) {
            const hsize_t offset[] = {0, 0};
            hsize_t bytes = 0;
            H5Dget_chunk_storage_size(dataset, offset, &bytes);
            std::vector<char> stored(bytes);
            std::uint32_t filters = 0;
            H5Dread_chunk(dataset, H5P_DEFAULT, offset, &filters, stored.data());
            stored[bytes / 2] = static_cast<char>(stored[bytes / 2] ^ 0x55);
            H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset, bytes, stored.data());
        });
        EXPECT_TRUE(chunks_->decode(0).empty());
        EXPECT_FALSE(chunks_->decode(kChunkRows).empty()) << "one that is whole";
        std::byte to[3 * kFeatures];
        expect_error(ErrorKind::input, {"chunks.h5:x", "rows 2 to 4", checksum ? "checksum" : "inflate"},
                     [&] { RowReader(path_, "x").read(2, 3, to); });
    }
}

TEST(Fletcher32, OfWordsFoldsAsOnesComplementAdditionDoes) {
    const auto sum = [](const std::vector<std::uint8_t>& bytes) {
        return detail::fletcher32(std::as_bytes(std::span(bytes)));
    };
    EXPECT_EQ(sum({}), 0U);
    EXPECT_EQ(sum({0, 0}), 0U);
    EXPECT_EQ(sum({0x12, 0x34}), 0x12341234U);
    EXPECT_EQ(sum({0x00, 0x01, 0x00, 0x02}), 0x00040003U);  // 1 + 3, 1 + 2
    EXPECT_EQ(sum({0xff, 0xff}), 0xffffffffU);
    EXPECT_EQ(sum({0x00, 0x01, 0x02}), 0x02020201U) << "the last word is filled up";
    // (100000 words of 1: their sum, and 100000 * 100001 / 2, by 65535)
    std::vector<std::uint8_t> many(200000);
    for (std::size_t i = 1; i < many.size(); i += 2)
        many[i] = 1;
    EXPECT_EQ(sum(many), 5000050000U % 65535 << 16 | 100000U % 65535);
}

}  // namespace
}  // namespace vae_dist::hdf5
