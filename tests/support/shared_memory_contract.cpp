#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/communicator_contract.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/shared_memory.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// The ranks of a test share one machine; here ranks of even and of odd number pretend to have one each.
Hosts two_hosts(Communicator& communicator) {
    return find_hosts(communicator, true, communicator.rank() % 2 == 0 ? "even" : "odd");
}

/// What the byte at `place` of the array of `rank` is.
std::byte content(int rank, std::size_t place, int round = 0) {
    return static_cast<std::byte>((place * 13 + place / 4096 + static_cast<std::size_t>(rank * 17 + round)) %
                                  251);
}

void fill(std::span<std::byte> array, int rank, int round = 0) {
    for (std::size_t i = 0; i < array.size(); ++i)
        array[i] = content(rank, i, round);
}

bool is_filled(std::span<const std::byte> array, int rank, int round = 0) {
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (array[i] != content(rank, i, round)) return false;
    }
    return true;
}

/// Sizes that are nothing, odd, a page and more, and large, a different one on each rank.
std::size_t size_of(int rank, int round) {
    constexpr std::size_t kSizes[] = {3'000'001, 0, 1, 4096, (2 << 20), 4097};
    return kSizes[static_cast<std::size_t>(rank + round) % std::size(kSizes)];
}

void finds_the_ranks_of_one_machine(Communicator& communicator) {
    const Hosts hosts = find_hosts(communicator, true);
    EXPECT_EQ(hosts.why_not, "");
    ASSERT_EQ(hosts.count(), 1);
    EXPECT_EQ(std::ssize(hosts.of(communicator.rank())), communicator.size());
    EXPECT_TRUE(hosts.together(0, communicator.size() - 1));
}

void finds_hosts_by_name_in_the_order_of_their_first_rank(Communicator& communicator) {
    const int size = communicator.size();
    const int me = communicator.rank();
    const Hosts hosts = two_hosts(communicator);
    ASSERT_EQ(hosts.count(), std::min(size, 2));
    for (int rank = 0; rank < size; ++rank) {
        EXPECT_EQ(hosts.host_of[static_cast<std::size_t>(rank)], rank % 2);
        EXPECT_EQ(hosts.together(me, rank), me % 2 == rank % 2);
        const std::vector<int>& same = hosts.of(rank);
        EXPECT_EQ(std::ssize(same), (size + 1 - rank % 2) / 2);
        EXPECT_TRUE(std::is_sorted(same.begin(), same.end()));
        EXPECT_NE(std::find(same.begin(), same.end(), rank), same.end());
    }
}

void without_sharing_each_rank_is_a_host(Communicator& communicator) {
    const Hosts hosts = find_hosts(communicator, false);
    ASSERT_EQ(hosts.count(), communicator.size());
    for (int rank = 0; rank < communicator.size(); ++rank)
        EXPECT_EQ(hosts.of(rank), std::vector<int>{rank});
}

void arrays_are_zero_and_aligned(Communicator& communicator) {
    const Hosts hosts = find_hosts(communicator, true);
    for (int round = 0; round < 6; ++round) {
        const std::size_t bytes = size_of(communicator.rank(), round);
        const SharedArrays arrays(communicator, hosts, bytes);
        EXPECT_EQ(arrays.mine().size(), bytes);
        for (const int rank : hosts.of(communicator.rank())) {
            const auto array = arrays.of(rank);
            ASSERT_EQ(array.size(), size_of(rank, round));
            EXPECT_TRUE(
                std::all_of(array.begin(), array.end(), [](std::byte b) { return b == std::byte{0}; }));
            const std::size_t unit = array.size() < (2 << 20) ? 4096 : 2 << 20;
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % unit, 0U) << array.size();
        }
        communicator.barrier();
    }
}

// The arrays of all are written, and read, again and again; two sets of them stay apart.
void what_a_rank_writes_the_others_of_its_host_read(Communicator& communicator) {
    const int me = communicator.rank();
    for (const Hosts& hosts : {find_hosts(communicator, true), two_hosts(communicator)}) {
        const SharedArrays one(communicator, hosts, size_of(me, 0));
        const SharedArrays two(communicator, hosts, size_of(me, 1));
        HostBarrier barrier(communicator, hosts);
        for (int round = 0; round < 5; ++round) {
            fill(one.mine(), me, round);
            fill(two.mine(), me, round + 100);
            barrier.wait();
            for (const int rank : hosts.of(me)) {
                EXPECT_TRUE(is_filled(one.of(rank), rank, round)) << "of rank " << rank;
                EXPECT_TRUE(is_filled(two.of(rank), rank, round + 100)) << "of rank " << rank;
            }
            barrier.wait();
        }
    }
}

void arrays_of_other_hosts_are_out_of_reach(Communicator& communicator) {
    const Hosts hosts = two_hosts(communicator);
    const SharedArrays arrays(communicator, hosts, 100);
    for (int rank = 0; rank < communicator.size(); ++rank) {
        if (!hosts.together(rank, communicator.rank())) {
            EXPECT_THROW(static_cast<void>(arrays.of(rank)), Error);
        }
    }
}

void an_array_stays_readable_when_its_owner_has_gone(Communicator& communicator) {
    const int last = communicator.size() - 1;
    const Hosts hosts = find_hosts(communicator, true);
    std::optional<SharedArrays> arrays(std::in_place, communicator, hosts, 3'000'000);
    fill(arrays->mine(), communicator.rank());
    communicator.barrier();
    if (communicator.rank() == 0) arrays.reset();
    communicator.barrier();
    if (arrays) {
        EXPECT_TRUE(is_filled(arrays->of(0), 0));
        EXPECT_TRUE(is_filled(arrays->of(last), last));
    }
}

void arrays_move(Communicator& communicator) {
    const Hosts hosts = find_hosts(communicator, true);
    SharedArrays first(communicator, hosts, 1000);
    SharedArrays arrays(std::move(first));
    fill(arrays.mine(), communicator.rank());
    communicator.barrier();
    arrays = SharedArrays(std::move(arrays));
    for (int rank = 0; rank < communicator.size(); ++rank)
        EXPECT_TRUE(is_filled(arrays.of(rank), rank));
    communicator.barrier();
}

// More than there are addresses, on the last rank alone.
void where_one_rank_lacks_memory_all_throw(Communicator& communicator) {
    const int last = communicator.size() - 1;
    const Hosts hosts = find_hosts(communicator, true);
    const std::size_t bytes = communicator.rank() == last ? std::size_t{1} << 50 : 100;
    try {
        const SharedArrays arrays(communicator, hosts, bytes);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::failure);
        EXPECT_TRUE(error.on_all_ranks());
        EXPECT_NE(std::string(error.what()).find("give the job more memory"), std::string::npos)
            << error.what();
    }
    what_a_rank_writes_the_others_of_its_host_read(communicator);
}

// Each rank of a host is late once.
void no_rank_passes_a_barrier_before_the_last_has_come(Communicator& communicator) {
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
    const Hosts hosts = find_hosts(communicator, true);
    HostBarrier barrier(communicator, hosts);
    for (int late = 0; late < communicator.size(); ++late) {
        if (communicator.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        std::int64_t last_came = now();
        barrier.wait();
        const std::int64_t left = now();
        communicator.all_reduce_max(std::span(&last_came, 1));
        EXPECT_GE(left, last_came);
    }
}

// Each rank owns a number that it raises only when all others have seen the one before: any rank that left a
// barrier early, or read an old number, would show.
void barriers_order_what_was_written(Communicator& communicator) {
    const Hosts hosts = find_hosts(communicator, true);
    const SharedArrays arrays(communicator, hosts, sizeof(std::int64_t));
    HostBarrier barrier(communicator, hosts);
    auto& mine = *reinterpret_cast<std::int64_t*>(arrays.mine().data());
    std::int64_t wrong = 0;
    for (std::int64_t round = 1; round <= 300; ++round) {
        mine = round;
        barrier.wait();
        for (const int rank : hosts.of(communicator.rank()))
            wrong += *reinterpret_cast<const std::int64_t*>(arrays.of(rank).data()) != round;
        barrier.wait();
    }
    EXPECT_EQ(wrong, 0);
}

// Each writes a block and says so; the others read each block as soon as it is there.
void what_was_written_before_a_number_was_published_can_be_read(Communicator& communicator) {
    constexpr std::int64_t kBlocks = 200;
    constexpr std::size_t kBlock = 1000;
    const int me = communicator.rank();
    const Hosts hosts = two_hosts(communicator);
    const SharedArrays arrays(communicator, hosts, kBlocks * kBlock);
    HostBarrier barrier(communicator, hosts);
    EXPECT_EQ(barrier.published_by(me), 0);
    std::vector<std::byte> written(kBlocks * kBlock);
    fill(written, me);
    std::int64_t wrong = 0;
    for (std::int64_t block = 0; block < kBlocks; ++block) {
        const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
        std::copy_n(written.begin() + static_cast<std::ptrdiff_t>(begin), kBlock,
                    arrays.mine().begin() + static_cast<std::ptrdiff_t>(begin));
        barrier.publish(block + 1);
        for (const int rank : hosts.of(me)) {
            communicator.wait_until([&] { return barrier.published_by(rank) >= block + 1; });
            for (std::size_t i = begin; i < begin + kBlock; ++i)
                wrong += arrays.of(rank)[i] != content(rank, i) ? 1 : 0;
        }
    }
    EXPECT_EQ(wrong, 0);
    barrier.publish(kBlocks);  // as many again: allowed
    EXPECT_THROW(barrier.publish(kBlocks - 1), Error);
    barrier.wait();
}

void a_rank_that_is_a_host_of_its_own_waits_for_nobody(Communicator& communicator) {
    HostBarrier barrier(communicator, find_hosts(communicator, false));
    // Only one rank calls: any wait for another would not end.
    if (communicator.rank() == 0) {
        for (int i = 0; i < 10; ++i)
            barrier.wait();
        barrier.publish(3);
    }
    communicator.barrier();
}

void what_is_so_needs_no_wait(Communicator& communicator) {
    int asked = 0;
    communicator.wait_until([&] { return ++asked > 0; });
    EXPECT_GT(asked, 0);
}

void an_error_thrown_while_a_condition_is_looked_at_comes_through(Communicator& communicator) {
    EXPECT_THROW(communicator.wait_until([]() -> bool { throw_failure("looked too close"); }), Error);
    communicator.barrier();
}

// Not those of ranks that just count theirs.
std::size_t open_files() {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code closed;
        const std::string target = std::filesystem::read_symlink(file.path(), closed);
        if (!closed && !target.starts_with("/proc/")) ++count;
    }
    return count;
}

std::size_t shared_mappings() {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);)
        count += line.find("memfd:vae_dist") != std::string::npos ? 1 : 0;
    return count;
}

// Shared memory with a name of ours; not folders of other tests, which may have them there.
std::vector<std::string> files_named_after_us() {
    std::vector<std::string> names;
    if (!std::filesystem::exists("/dev/shm")) return names;
    for (const auto& file : std::filesystem::directory_iterator("/dev/shm")) {
        const std::string name = file.path().filename();
        if (name.find("vae_dist") != std::string::npos && !name.starts_with("vae_dist_test_"))
            names.push_back(name);
    }
    return names;
}

// Before and after, all ranks are between calls: those of one process count each other's files too.
void nothing_is_left_behind(Communicator& communicator) {
    const auto use = [&] {
        const Hosts hosts = find_hosts(communicator, true);
        const SharedArrays arrays(communicator, hosts, 3'000'000);
        HostBarrier barrier(communicator, hosts);
        barrier.wait();
        const auto messages = communicator.make_messages();
        messages->wait_all();
        communicator.barrier();
    };
    use();  // connections that are opened at their first use stay
    communicator.barrier();
    const std::size_t files = open_files();
    communicator.barrier();
    for (int i = 0; i < 10; ++i)
        use();
    communicator.barrier();
    EXPECT_EQ(open_files(), files);
    communicator.barrier();
    EXPECT_EQ(shared_mappings(), 0U);
    EXPECT_EQ(files_named_after_us(), std::vector<std::string>{});
    communicator.barrier();
}

constexpr ContractCase kContract[] = {
    {"FindsTheRanksOfOneMachine", finds_the_ranks_of_one_machine},
    {"FindsHostsByNameInTheOrderOfTheirFirstRank", finds_hosts_by_name_in_the_order_of_their_first_rank},
    {"WithoutSharingEachRankIsAHost", without_sharing_each_rank_is_a_host},
    {"ArraysAreZeroAndAligned", arrays_are_zero_and_aligned},
    {"WhatARankWritesTheOthersOfItsHostRead", what_a_rank_writes_the_others_of_its_host_read},
    {"ArraysOfOtherHostsAreOutOfReach", arrays_of_other_hosts_are_out_of_reach},
    {"AnArrayStaysReadableWhenItsOwnerHasGone", an_array_stays_readable_when_its_owner_has_gone},
    {"ArraysMove", arrays_move},
    {"WhereOneRankLacksMemoryAllThrow", where_one_rank_lacks_memory_all_throw},
    {"NoRankPassesABarrierBeforeTheLastHasCome", no_rank_passes_a_barrier_before_the_last_has_come},
    {"BarriersOrderWhatWasWritten", barriers_order_what_was_written},
    {"WhatWasWrittenBeforeANumberWasPublishedCanBeRead",
     what_was_written_before_a_number_was_published_can_be_read},
    {"ARankThatIsAHostOfItsOwnWaitsForNobody", a_rank_that_is_a_host_of_its_own_waits_for_nobody},
    {"WhatIsSoNeedsNoWait", what_is_so_needs_no_wait},
    {"AnErrorThrownWhileAConditionIsLookedAtComesThrough",
     an_error_thrown_while_a_condition_is_looked_at_comes_through},
    {"NothingIsLeftBehind", nothing_is_left_behind},
};

}  // namespace

std::span<const ContractCase> shared_memory_contract() {
    return kContract;
}

}  // namespace vae_dist
