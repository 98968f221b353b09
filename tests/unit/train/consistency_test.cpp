#include "vae_dist/train/run/consistency.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <numeric>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "support/thread_communicator.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {
namespace {

// Expects an error of this kind on every rank, marked as one that all have.
void expect_refused_together(ErrorKind kind, std::initializer_list<std::string> parts,
                             const std::function<void()>& action) {
    expect_error(kind, parts, [&] {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_TRUE(error.on_all_ranks());
            throw;
        }
    });
}

// --- The program

TEST(SameProgram, OneBuildOnAllRanksPasses) {
    run_ranks(3, [](Communicator& communicator) { require_same_program(communicator); });
}

TEST(SameProgram, AnotherBuildOnOneRankIsNamedWithBoth) {
    run_ranks(3, [](Communicator& communicator) {
        const ProgramBuild mine = {"0.1.0", communicator.rank() == 2 ? 0x1a2b3c4dU : 0xffU};
        expect_refused_together(ErrorKind::input, {"rank 2", "0.1.0, 1a2b3c4d", "rank 0 (0.1.0, 000000ff)"},
                                [&] { require_same_program(communicator, mine); });
    });
}

TEST(SameProgram, WhereAnExecutableCannotBeReadVersionsAreCompared) {
    for (const int unread : {0, 1}) {
        run_ranks(2, [&](Communicator& communicator) {
            ProgramBuild mine = {"0.1.0", 7};
            if (communicator.rank() == unread) mine.checksum.reset();
            require_same_program(communicator, mine);
            if (communicator.rank() == unread) mine.version = "0.2.0";
            expect_refused_together(ErrorKind::input, {"rank 1", "0.2.0"},
                                    [&] { require_same_program(communicator, mine); });
        });
    }
}

// --- The configuration

TEST(SameConfiguration, PathsMayDiffer) {
    run_ranks(2, [](Communicator& communicator) {
        Config config = small_config();
        if (communicator.rank() == 1) config.output.directory = "/elsewhere";
        require_same_on_all_ranks(config, communicator);
    });
}

TEST(SameConfiguration, TheRankAndItsKeysAreNamedWithBothValues) {
    run_ranks(3, [](Communicator& communicator) {
        Config config = small_config();
        if (communicator.rank() == 1) {
            config.train.seed = 10;
            config.optimizer.clip_norm = 0.1;
            config.model.encoder.hidden = {5, 6};
        }
        expect_refused_together(
            ErrorKind::input,
            {"rank 1", "train.seed is 10 rather than 9", "optimizer.clip_norm is 0.1 rather than 0",
             "model.encoder.hidden is [5, 6] rather than [5]"},
            [&] { require_same_on_all_ranks(config, communicator); });
    });
}

TEST(SameConfiguration, KeysThatOneDoesNotHaveAreNamed) {
    run_ranks(2, [](Communicator& communicator) {
        Config config = small_config();
        if (communicator.rank() == 1) {
            config.train.epochs.reset();
            config.train.steps = 12;
        }
        expect_refused_together(ErrorKind::input,
                                {"rank 1", "train.epochs is not set rather than 2", "train.steps is 12"},
                                [&] { require_same_on_all_ranks(config, communicator); });
    });
}

// --- The data

class SameData : public testing::Test {
 protected:
    // A file of 9 rows of 2 floats that count from 0, with `change` added to one row's numbers.
    std::string write(const std::string& name, std::int64_t changed_row = 0, float change = 0) const {
        std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
        std::vector<float> values(18);
        std::iota(values.begin(), values.end(), 0.0F);
        for (const std::int64_t column : {0, 1})
            values.at(static_cast<std::size_t>(2 * changed_row + column)) += change;
        hdf5::File file = hdf5::File::create(folder_.file(name));
        file.write_floats("x", std::vector<std::int64_t>{9, 2}, values, false);
        file.close();
        return folder_.file(name);
    }

    // Compares files_of(rank) on three ranks.
    template <class FilesOf>
    static void compare(const FilesOf& files_of) {
        run_ranks(3, [&](Communicator& communicator) {
            const auto rows = open_hdf5_rows({files_of(communicator.rank()), "x"});
            require_same_on_all_ranks(*rows, "data.train", communicator);
        });
    }

    TemporaryFolder folder_;
};

TEST_F(SameData, MayLieInAnotherFolderOnEachMachine) {
    const auto a = write("a/d.h5");
    const auto b = write("b/d.h5");
    compare([&](int rank) { return std::vector<std::string>{rank == 1 ? b : a}; });
}

TEST_F(SameData, AnotherFileNameIsAnError) {
    const auto a = write("d.h5");
    const auto b = write("e.h5");
    expect_refused_together(
        ErrorKind::input, {"rank 2", "different data in data.train", "e.h5", "d.h5 of ", "on rank 0"},
        [&] { compare([&](int rank) { return std::vector<std::string>{rank == 2 ? b : a}; }); });
}

TEST_F(SameData, AnotherSizeOfAFileOfTheSameContentsIsAnError) {
    const auto a = write("a/d.h5");
    const auto b = write("b/d.h5");
    hdf5::File file = hdf5::File::open_for_writing(b);
    file.write_floats("more", std::vector<std::int64_t>{1000}, std::vector<float>(1000), false);
    file.close();
    const std::string size = counted(std::filesystem::file_size(b), "byte");
    expect_refused_together(ErrorKind::input, {"rank 1", "different data", "d.h5 of " + size + " here"}, [&] {
        compare([&](int rank) { return std::vector<std::string>{rank == 1 ? b : a}; });
    });
}

TEST_F(SameData, OtherNumbersInTheFirstMiddleOrLastRowAreAnError) {
    const auto a = write("a/d.h5");
    for (const std::int64_t row : {0, 4, 8}) {
        const auto b = write("b/d.h5", row, 1);
        expect_refused_together(ErrorKind::input, {"rank 1", "first, middle and last sample"}, [&] {
            compare([&](int rank) { return std::vector<std::string>{rank == 1 ? b : a}; });
        });
    }
}

TEST_F(SameData, FilesInAnotherOrderAreAnError) {
    const auto a = write("a.h5");
    const auto b = write("b.h5");
    expect_refused_together(ErrorKind::input, {"rank 1", "different data"}, [&] {
        compare([&](int rank) {
            return rank == 1 ? std::vector<std::string>{b, a} : std::vector<std::string>{a, b};
        });
    });
}

TEST_F(SameData, AnotherShapeIsAnError) {
    const auto a = write("d.h5");
    expect_refused_together(ErrorKind::input, {"rank 1", "18 samples of 2 float32 here", "9 samples"}, [&] {
        compare([&](int rank) {
            return rank == 1 ? std::vector<std::string>{a, a} : std::vector<std::string>{a};
        });
    });
}

// --- The parameters

class EqualParameters : public testing::Test {
 protected:
    // Compares checksums, one a rank, before step 3000.
    static void compare(const std::vector<std::uint32_t>& checksums) {
        run_ranks(static_cast<int>(checksums.size()), [&](Communicator& communicator) {
            const auto rank = static_cast<std::size_t>(communicator.rank());
            require_equal_parameters(checksums[rank], 3000, communicator);
        });
    }

    static void expect_refused(const std::vector<std::uint32_t>& checksums,
                               std::initializer_list<std::string> parts) {
        run_ranks(static_cast<int>(checksums.size()), [&](Communicator& communicator) {
            const auto rank = static_cast<std::size_t>(communicator.rank());
            expect_refused_together(ErrorKind::failure, parts,
                                    [&] { require_equal_parameters(checksums[rank], 3000, communicator); });
        });
    }
};

TEST_F(EqualParameters, PassOnOneToFourRanks) {
    for (const std::size_t ranks : {1, 2, 3, 4})
        compare(std::vector<std::uint32_t>(ranks, 0xdeadbeef));
}

TEST_F(EqualParameters, TheRankThatDiffersIsNamed) {
    expect_refused({5, 5, 6}, {"step 3000", "parameters of rank 2 (", "not those of ranks 0 ("});
    expect_refused({5, 0, 5, 5}, {"parameters of rank 1 (", "not those of ranks 0 ("});
}

TEST_F(EqualParameters, RankZeroIsNamedWhereMostOthersAgree) {
    expect_refused({6, 5, 5}, {"parameters of rank 0 (", "not those of ranks 1 ("});
}

TEST_F(EqualParameters, SeveralRanksThatDifferAreAllNamed) {
    expect_refused({5, 7, 5, 6, 5}, {"parameters of ranks 1 (", ") and 3 ("});
}

TEST_F(EqualParameters, WhereAsManyDifferRankZeroIsBelieved) {
    expect_refused({9, 5}, {"parameters of rank 1 (", "not those of rank 0 ("});
    expect_refused({9, 5, 5, 9}, {"parameters of ranks 1 (", ") and 2 (", "not those of ranks 0 ("});
}

TEST(ParameterChecksum, IsTheCrc32OfAllBytesInOrder) {
    const auto backend = make_backend({.backend = BackendKind::cpu});
    // More than two of the pieces in which they are copied out.
    constexpr std::int64_t kSize = 600'001;
    ParameterLayout layout;
    layout.add({{"w", {kSize}}});
    ParameterStore store(layout, Precision::float32, *backend);
    const std::uint32_t zeros = parameter_checksum(layout, store, *backend);
    std::iota(store.values.begin(), store.values.end(), 0.5F);
    const std::uint32_t sum = parameter_checksum(layout, store, *backend);
    EXPECT_EQ(sum, crc32_z(0, reinterpret_cast<const unsigned char*>(store.values.data()),
                           store.values.size_bytes()));
    EXPECT_NE(sum, zeros);
    std::swap(store.values[0], store.values[kSize - 1]);
    EXPECT_NE(parameter_checksum(layout, store, *backend), sum);
}

}  // namespace
}  // namespace vae_dist
