#include "support/communicator_contract.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Lengths that are empty, odd, a power of two and not, and several MB.
constexpr std::size_t kLengths[] = {0, 1, 2, 7, 1000, 1024, 1'000'003};

/// Sum of 0 ... size - 1, in closed form.
std::int64_t sum_of_ranks(const Communicator& communicator) {
    return std::int64_t{communicator.size()} * (communicator.size() - 1) / 2;
}

std::vector<std::byte> bytes_of(const std::string& text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

void counts_its_ranks(Communicator& communicator) {
    EXPECT_GE(communicator.rank(), 0);
    EXPECT_LT(communicator.rank(), communicator.size());
    std::vector<std::int64_t> here(static_cast<std::size_t>(communicator.size()));
    here[static_cast<std::size_t>(communicator.rank())] = 1;
    communicator.all_reduce_sum(std::span(here));
    EXPECT_EQ(here, std::vector<std::int64_t>(here.size(), 1));
}

// Rank r gives (r - 2) * i - r: sum over r = (S - 2 P) i - S with P ranks and S = sum of r. Negative numbers
// take part.
void sums_integers(Communicator& communicator) {
    const std::int64_t r = communicator.rank();
    const std::int64_t p = communicator.size();
    const std::int64_t s = sum_of_ranks(communicator);
    for (const std::size_t length : kLengths) {
        std::vector<std::int64_t> values(length);
        for (std::size_t i = 0; i < length; ++i)
            values[i] = (r - 2) * static_cast<std::int64_t>(i) - r;
        communicator.all_reduce_sum(std::span(values));
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < length; ++i)
            wrong += values[i] != (s - 2 * p) * static_cast<std::int64_t>(i) - s;
        EXPECT_EQ(wrong, 0U) << "of " << length;
    }
}

void sums_of_integers_keep_all_64_bits(Communicator& communicator) {
    // (2^53 + 1) needs one bit more than a double has.
    std::vector<std::int64_t> values(3, (std::int64_t{1} << 53) + 1);
    communicator.all_reduce_sum(std::span(values));
    EXPECT_EQ(values, std::vector<std::int64_t>(3, communicator.size() * ((std::int64_t{1} << 53) + 1)));
}

void sums_of_integers_wrap(Communicator& communicator) {
    std::vector<std::int64_t> values(5, std::numeric_limits<std::int64_t>::max());
    communicator.all_reduce_sum(std::span(values));
    // P * (2^63 - 1) modulo 2^64, computed in unsigned numbers.
    const auto expected = static_cast<std::uint64_t>(communicator.size()) * (~std::uint64_t{0} >> 1);
    EXPECT_EQ(values, std::vector<std::int64_t>(5, static_cast<std::int64_t>(expected)));
}

// Small whole numbers: every order of additions is exact.
void sums_floats(Communicator& communicator) {
    const auto p = static_cast<float>(communicator.size());
    const auto s = static_cast<float>(sum_of_ranks(communicator));
    for (const std::size_t length : kLengths) {
        std::vector<float> values(length);
        for (std::size_t i = 0; i < length; ++i) {
            values[i] = static_cast<float>(communicator.rank()) - static_cast<float>(i % 1000);
        }
        communicator.all_reduce_sum(std::span(values));
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < length; ++i)
            wrong += values[i] != s - p * static_cast<float>(i % 1000);
        EXPECT_EQ(wrong, 0U) << "of " << length;
    }
}

// Numbers whose sum depends on the order of additions.
void sums_of_floats_have_the_same_bits_everywhere(Communicator& communicator) {
    for (const std::size_t length : kLengths) {
        std::vector<float> values(length);
        for (std::size_t i = 0; i < length; ++i) {
            values[i] =
                1.0F / static_cast<float>(1 + i + 7919 * static_cast<std::size_t>(communicator.rank()));
        }
        communicator.all_reduce_sum(std::span(values));
        std::vector<float> of_rank_0 = values;
        communicator.broadcast(std::as_writable_bytes(std::span(of_rank_0)), 0);
        EXPECT_EQ(values, of_rank_0);
    }
}

void finds_maxima(Communicator& communicator) {
    const int r = communicator.rank();
    const int last = communicator.size() - 1;
    std::vector<std::int64_t> whole = {r, -r, std::numeric_limits<std::int64_t>::min() + r, 5};
    communicator.all_reduce_max(std::span(whole));
    EXPECT_EQ(whole,
              (std::vector<std::int64_t>{last, 0, std::numeric_limits<std::int64_t>::min() + last, 5}));

    std::vector<double> real = {r + 0.5, -1.5 - r, -std::numeric_limits<double>::infinity(), 1e300};
    communicator.all_reduce_max(std::span(real));
    EXPECT_EQ(real, (std::vector<double>{last + 0.5, -1.5, -std::numeric_limits<double>::infinity(), 1e300}));

    communicator.all_reduce_max(std::span<std::int64_t>{});
    communicator.all_reduce_max(std::span<double>{});
}

// Longer than any rank of a test is late.
constexpr std::chrono::minutes kLong{1};

// Each rank is late once; the others wait, those of odd number without an end. What comes between must not
// mix with it.
void finds_a_maximum_with_patience(Communicator& communicator) {
    constexpr auto kForever = std::chrono::milliseconds::max();
    const std::int64_t r = communicator.rank();
    const std::int64_t last = communicator.size() - 1;
    for (int late = 0; late <= last; ++late) {
        if (r == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const auto patience = r % 2 == 1 ? kForever : std::chrono::milliseconds(kLong);
        EXPECT_EQ(communicator.all_reduce_max_within(r + late, patience), last + late);
        EXPECT_EQ(communicator.all_reduce_max_within(-r, kForever), 0);
        std::int64_t other = -5 - r;
        communicator.all_reduce_max(std::span(&other, 1));
        EXPECT_EQ(other, -5);
    }
    constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
    EXPECT_EQ(communicator.all_reduce_max_within(kLowest + r, kForever), kLowest + last);
}

void broadcasts_from_every_root(Communicator& communicator) {
    for (int root = 0; root < communicator.size(); ++root) {
        for (const std::size_t length : kLengths) {
            std::vector<std::int32_t> values(length, communicator.rank());
            communicator.broadcast(std::as_writable_bytes(std::span(values)), root);
            EXPECT_EQ(values, std::vector<std::int32_t>(length, root));
        }
    }
}

void broadcasts_text_of_a_length_that_only_the_root_knows(Communicator& communicator) {
    for (int root = 0; root < communicator.size(); ++root) {
        for (const std::string& text : {std::string(), std::string("a\0b", 3), std::string(3'000'001, 'x')}) {
            const bool mine = communicator.rank() == root;
            EXPECT_EQ(broadcast_text(communicator, mine ? text : "something else", root), text);
        }
    }
}

// Rank r gives r * `unit` bytes of value r: rank 0 nothing.
void gathers_different_lengths(Communicator& communicator) {
    for (const std::size_t unit : {std::size_t{0}, std::size_t{1}, std::size_t{1'000'003}}) {
        for (int root = 0; root < communicator.size(); ++root) {
            const auto r = static_cast<std::size_t>(communicator.rank());
            const std::vector<std::byte> mine(r * unit, static_cast<std::byte>(r));
            const auto gathered = communicator.gather(mine, root);
            if (communicator.rank() != root) {
                EXPECT_TRUE(gathered.empty());
                continue;
            }
            ASSERT_EQ(gathered.size(), static_cast<std::size_t>(communicator.size()));
            for (std::size_t from = 0; from < gathered.size(); ++from) {
                EXPECT_EQ(gathered[from], std::vector<std::byte>(from * unit, static_cast<std::byte>(from)));
            }
        }
    }
}

// A call that mixed up the messages of two gathers, or of two roots, would show here.
void gathers_one_after_another_stay_apart(Communicator& communicator) {
    for (int i = 0; i < 20; ++i) {
        const std::string text = std::to_string(i) + " from " + std::to_string(communicator.rank());
        const int root = i % communicator.size();
        const auto gathered = communicator.gather(bytes_of(text), root);
        for (std::size_t from = 0; from < gathered.size(); ++from) {
            EXPECT_EQ(gathered[from], bytes_of(std::to_string(i) + " from " + std::to_string(from)));
        }
    }
}

// The ranks of a test share one machine, hence one steady clock. One rank comes late on purpose.
void nobody_passes_a_barrier_before_the_last_has_come(Communicator& communicator) {
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
    for (int late = 0; late < communicator.size(); ++late) {
        if (communicator.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        std::int64_t last_came = now();
        communicator.barrier();
        const std::int64_t passed = now();
        communicator.all_reduce_max(std::span(&last_came, 1));
        EXPECT_GE(passed, last_came);
    }
}

void counts_the_ranks_of_this_machine(Communicator& communicator) {
    // The ranks of a test share one machine.
    EXPECT_EQ(ranks_on_this_machine(communicator), communicator.size());
}

/// Does `work` together and returns the error that this rank is thrown; fails the test where there is none.
Error error_of(Communicator& communicator, const std::function<void()>& work) {
    try {
        run_together(communicator, work, kLong);
    } catch (const Error& error) {
        EXPECT_TRUE(error.on_all_ranks());
        return error;
    }
    ADD_FAILURE() << "run_together threw nothing";
    return {ErrorKind::bug, ""};
}

void work_without_error_is_done_once(Communicator& communicator) {
    int times = 0;
    EXPECT_NO_THROW(run_together(communicator, [&] { ++times; }));
    EXPECT_EQ(times, 1);
}

void one_failing_rank_fails_all_with_its_number(Communicator& communicator) {
    for (int failing = 0; failing < communicator.size(); ++failing) {
        const Error error = error_of(communicator, [&] {
            if (communicator.rank() == failing) throw_input_error("cannot read a.h5");
        });
        EXPECT_EQ(error.kind(), ErrorKind::input);
        const std::string who = communicator.size() == 1 ? "" : "rank " + std::to_string(failing) + ": ";
        EXPECT_EQ(error.what(), who + "cannot read a.h5");
    }
}

// A rank that fails at once waits for one that is slow but comes in time, whether that one fails or not.
void slow_ranks_share_the_error_of_a_quick_one(Communicator& communicator) {
    const int last = communicator.size() - 1;
    for (const bool slow_ones_fail : {false, true}) {
        const Error error = error_of(communicator, [&] {
            if (communicator.rank() == last) throw_input_error("quick");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            if (slow_ones_fail) throw_failure("slow");
        });
        const int speaker = slow_ones_fail ? 0 : last;
        const std::string who = last == 0 ? "" : "rank " + std::to_string(speaker) + ": ";
        EXPECT_EQ(error.what(), who + (speaker == last ? "quick" : "slow"));
    }
}

void the_same_error_on_all_ranks_is_told_without_a_number(Communicator& communicator) {
    const Error error = error_of(communicator, [] { throw_failure("disk full"); });
    EXPECT_EQ(error.kind(), ErrorKind::failure);
    EXPECT_STREQ(error.what(), "disk full");
}

void of_different_errors_that_of_the_lowest_rank_is_told(Communicator& communicator) {
    const Error error = error_of(communicator, [&] {
        const int r = communicator.rank();
        throw Error(r == 0 ? ErrorKind::bug : ErrorKind::input, "error " + std::to_string(r));
    });
    EXPECT_EQ(error.kind(), ErrorKind::bug);
    EXPECT_STREQ(error.what(), communicator.size() == 1 ? "error 0" : "rank 0: error 0");
}

void other_exceptions_become_failures(Communicator& communicator) {
    const Error standard = error_of(communicator, [] { throw std::runtime_error("no such thing"); });
    EXPECT_EQ(standard.kind(), ErrorKind::failure);
    EXPECT_STREQ(standard.what(), "no such thing");

    const Error memory = error_of(communicator, [] { throw std::bad_alloc(); });
    EXPECT_EQ(memory.kind(), ErrorKind::failure);
    EXPECT_STREQ(memory.what(), "out of memory");

    const Error unknown = error_of(communicator, [] { throw 7; });
    EXPECT_EQ(unknown.kind(), ErrorKind::bug);
}

void an_error_found_alone_is_thrown_together(Communicator& communicator) {
    const int last = communicator.size() - 1;
    std::exception_ptr mine;
    if (communicator.rank() == last) mine = std::make_exception_ptr(Error(ErrorKind::input, "row 3 is NaN"));
    try {
        throw_together(communicator, mine);
    } catch (const Error& error) {
        EXPECT_TRUE(error.on_all_ranks());
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find("row 3 is NaN"), std::string::npos);
    }
}

void works_on_after_an_error(Communicator& communicator) {
    error_of(communicator, [] { throw_failure("first"); });
    sums_integers(communicator);
}

constexpr ContractCase kContract[] = {
    {"CountsItsRanks", counts_its_ranks},
    {"SumsIntegers", sums_integers},
    {"SumsOfIntegersKeepAll64Bits", sums_of_integers_keep_all_64_bits},
    {"SumsOfIntegersWrap", sums_of_integers_wrap},
    {"SumsFloats", sums_floats},
    {"SumsOfFloatsHaveTheSameBitsEverywhere", sums_of_floats_have_the_same_bits_everywhere},
    {"FindsMaxima", finds_maxima},
    {"FindsAMaximumWithPatience", finds_a_maximum_with_patience},
    {"BroadcastsFromEveryRoot", broadcasts_from_every_root},
    {"BroadcastsTextOfALengthThatOnlyTheRootKnows", broadcasts_text_of_a_length_that_only_the_root_knows},
    {"GathersDifferentLengths", gathers_different_lengths},
    {"GathersOneAfterAnotherStayApart", gathers_one_after_another_stay_apart},
    {"NobodyPassesABarrierBeforeTheLastHasCome", nobody_passes_a_barrier_before_the_last_has_come},
    {"CountsTheRanksOfThisMachine", counts_the_ranks_of_this_machine},
    {"WorkWithoutErrorIsDoneOnce", work_without_error_is_done_once},
    {"OneFailingRankFailsAllWithItsNumber", one_failing_rank_fails_all_with_its_number},
    {"SlowRanksShareTheErrorOfAQuickOne", slow_ranks_share_the_error_of_a_quick_one},
    {"TheSameErrorOnAllRanksIsToldWithoutANumber", the_same_error_on_all_ranks_is_told_without_a_number},
    {"OfDifferentErrorsThatOfTheLowestRankIsTold", of_different_errors_that_of_the_lowest_rank_is_told},
    {"OtherExceptionsBecomeFailures", other_exceptions_become_failures},
    {"AnErrorFoundAloneIsThrownTogether", an_error_found_alone_is_thrown_together},
    {"WorksOnAfterAnError", works_on_after_an_error},
};

}  // namespace

std::span<const ContractCase> communicator_contract() {
    return kContract;
}

}  // namespace vae_dist
