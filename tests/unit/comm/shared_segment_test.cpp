#include "comm/shared_segment.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "support/expect_error.hpp"
#include "support/no_files.hpp"
#include "support/thread_communicator.hpp"

namespace vae_dist {
namespace {

TEST(SharedSegment, IsReadWhereItWasWritten) {
    SharedSegment segment(10'000);
    const MappedMemory theirs = map_segment(segment.address());
    const MappedMemory ours = segment.take();
    ours.bytes()[9'999] = std::byte{7};
    EXPECT_EQ(theirs.bytes()[9'999], std::byte{7});
    EXPECT_NE(ours.bytes().data(), theirs.bytes().data());
}

TEST(SharedSegment, IsReadableByAnotherProcess) {
    SharedSegment segment(10'000);
    const SegmentAddress address = segment.address();
    const MappedMemory ours = segment.take();
    ours.bytes()[5'000] = std::byte{42};
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        // Not through what it inherited: through the file of its parent.
        try {
            _exit(std::to_integer<int>(map_segment(address).bytes()[5'000]));
        } catch (...) {
            _exit(1);
        }
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(SharedSegmentDeathTest, CannotBeWrittenByOthers) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const SharedSegment segment(10'000);
    const MappedMemory theirs = map_segment(segment.address());
    EXPECT_DEATH(theirs.bytes()[0] = std::byte{1}, "");
}

// The whole of it: a page that is only promised would be one that the process dies of later.
TEST(SharedSegment, IsAllThereAtOnce) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{300'000}, std::size_t{5'000'000}}) {
        const SharedSegment segment(bytes);
        const std::string file = fmt::format("/proc/self/fd/{}", segment.address().descriptor);
        struct stat status {};
        ASSERT_EQ(stat(file.c_str(), &status), 0);
        EXPECT_GE(status.st_size, static_cast<off_t>(bytes));
        EXPECT_GE(status.st_blocks * 512, status.st_size);
    }
}

TEST(SharedSegment, RefusesWhatIsNotTheMemoryThatItLooksFor) {
    const SharedSegment segment(100);
    const SharedSegment other(100);
    const SharedSegment longer(1'000'000);

    SegmentAddress wrong = segment.address();
    wrong.token = other.address().token;
    expect_error(ErrorKind::failure, {"memory of another process"}, [&] { map_segment(wrong); });

    wrong = segment.address();
    wrong.descriptor = longer.address().descriptor;
    expect_error(ErrorKind::failure, {"memory of another process"}, [&] { map_segment(wrong); });

    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    wrong.descriptor = ends[0];
    expect_error(ErrorKind::failure, {"not the memory"}, [&] { map_segment(wrong); });
    close(ends[0]);
    close(ends[1]);

    wrong.descriptor = 100'000;
    expect_error(ErrorKind::failure, {"/proc/", "No such file"}, [&] { map_segment(wrong); });
}

TEST(SharedSegment, SaysWhatToDoWhereMemoryIsShort) {
    expect_error(ErrorKind::failure, {"1.0 PiB", "give the job more memory"},
                 [] { SharedSegment(std::size_t{1} << 50); });
}

// As where the system forbids what sharing needs.
TEST(FindHosts, MakesEachRankAHostWhereMemoryCannotBeShared) {
    const NoFiles none;
    run_ranks(3, [](Communicator& communicator) {
        const Hosts hosts = find_hosts(communicator, true, communicator.rank() == 0 ? "alone" : "together");
        EXPECT_EQ(hosts.count(), 3);
        EXPECT_EQ(hosts.of(2), std::vector<int>{2});
        EXPECT_NE(hosts.why_not.find("rank 1: "), std::string::npos) << hosts.why_not;
        EXPECT_NE(hosts.why_not.find("File too large"), std::string::npos) << hosts.why_not;
    });
}

TEST(FindHosts, WhereAllRanksHaveHostsOfTheirOwnNothingIsTried) {
    const NoFiles none;
    run_ranks(3, [](Communicator& communicator) {
        const Hosts hosts = find_hosts(communicator, true, std::to_string(communicator.rank()));
        EXPECT_EQ(hosts.count(), 3);
        EXPECT_EQ(hosts.why_not, "");
    });
}

}  // namespace
}  // namespace vae_dist
