#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support/communicator_contract.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

using Bytes = std::vector<std::byte>;

// From nothing to what no library sends in one piece.
constexpr std::size_t kLengths[] = {0, 1, 7, 4096, 70'001, 1 << 20, 9'000'001};

/// What rank `from` sends to rank `to` as its message number `number`.
Bytes letter(int from, int to, std::size_t number, std::size_t length) {
    Bytes bytes(length);
    const std::size_t seed = static_cast<std::size_t>(from * 100 + to * 10) + number * 31;
    for (std::size_t i = 0; i < length; ++i)
        bytes[i] = static_cast<std::byte>((i * 7 + i / 256 + seed) % 251);
    return bytes;
}

/// Every rank but this one.
std::vector<int> others(const Communicator& communicator) {
    std::vector<int> ranks;
    for (int rank = 0; rank < communicator.size(); ++rank) {
        if (rank != communicator.rank()) ranks.push_back(rank);
    }
    return ranks;
}

// The lengths of all places are those of the messages.
void exchange(Communicator& communicator, Messages& messages, std::size_t length, bool receive_first) {
    const int me = communicator.rank();
    std::vector<Bytes> sent;
    std::vector<Bytes> got;
    const auto receive_all = [&] {
        for (const int from : others(communicator)) {
            got.emplace_back(length);
            messages.receive(got.back(), from);
            EXPECT_EQ(got.back().size(), length);
        }
    };
    got.reserve(static_cast<std::size_t>(communicator.size()));
    sent.reserve(static_cast<std::size_t>(communicator.size()));
    if (receive_first) receive_all();
    for (const int to : others(communicator)) {
        sent.push_back(letter(me, to, 0, length));
        messages.send(sent.back(), to);
    }
    if (!receive_first) receive_all();
    messages.wait_all();
    std::size_t place = 0;
    for (const int from : others(communicator)) {
        EXPECT_TRUE(got[place++] == letter(from, me, 0, length)) << length << " bytes from rank " << from;
    }
}

void messages_of_every_length_come_as_they_were(Communicator& communicator) {
    const auto messages = communicator.make_messages();
    for (const std::size_t length : kLengths) {
        for (const bool receive_first : {false, true})
            exchange(communicator, *messages, length, receive_first);
    }
}

void messages_of_two_ranks_come_in_the_order_of_sending(Communicator& communicator) {
    constexpr std::size_t kCount = 200;
    const auto length = [](std::size_t number) { return number * 7919 % 10'000; };
    const auto messages = communicator.make_messages();
    const int me = communicator.rank();
    for (int round = 0; round < 3; ++round) {
        std::vector<Bytes> sent;
        std::vector<Bytes> got;
        for (std::size_t number = 0; number < kCount; ++number) {
            for (const int other : others(communicator)) {
                sent.push_back(letter(me, other, number, length(number)));
                messages->send(sent.back(), other);
                got.emplace_back(10'000);
                const std::size_t n = messages->receive(got.back(), other);
                EXPECT_EQ(n, got.size() - 1) << "numbers begin anew after wait_all";
            }
        }
        // The last first: a wait for one does not wait for those before it.
        for (std::size_t n = got.size(); n-- > 0;) {
            messages->wait_for(n);
            EXPECT_TRUE(messages->has_received(n));
            const std::size_t number = n / others(communicator).size();
            const int from = others(communicator)[n % others(communicator).size()];
            ASSERT_EQ(messages->received(n), length(number));
            got[n].resize(messages->received(n));
            EXPECT_TRUE(got[n] == letter(from, me, number, length(number)));
        }
        messages->wait_all();
    }
}

// A chain: rank 0 begins, each other passes on what it got. The ranks do nothing but look.
void a_message_comes_while_ranks_only_look(Communicator& communicator) {
    const auto messages = communicator.make_messages();
    const int me = communicator.rank();
    Bytes bytes = letter(0, 0, 0, 2'000'003);
    if (me > 0) {
        std::fill(bytes.begin(), bytes.end(), std::byte{0});
        const std::size_t n = messages->receive(bytes, me - 1);
        while (!messages->has_received(n))
            std::this_thread::yield();
        EXPECT_EQ(messages->received(n), bytes.size());
    }
    if (me + 1 < communicator.size()) messages->send(bytes, me + 1);
    messages->progress();
    messages->wait_all();
    EXPECT_TRUE(bytes == letter(0, 0, 0, bytes.size()));
}

void messages_mix_neither_with_others_nor_with_collectives(Communicator& communicator) {
    const auto one = communicator.make_messages();
    const auto two = communicator.make_messages();
    const int me = communicator.rank();
    for (const int other : others(communicator)) {
        const Bytes first = letter(me, other, 1, 100'000);
        const Bytes second = letter(me, other, 2, 100'000);
        Bytes of_one(100'000);
        Bytes of_two(100'000);
        one->send(first, other);
        two->receive(of_two, other);
        two->send(second, other);
        one->receive(of_one, other);
        one->wait_all();
        two->wait_all();
        EXPECT_TRUE(of_one == letter(other, me, 1, 100'000));
        EXPECT_TRUE(of_two == letter(other, me, 2, 100'000));
    }
    const Bytes sent = letter(me, 0, 3, 3'000'000);
    Bytes got(3'000'000);
    const int next = (me + 1) % communicator.size();
    const int previous = (me + communicator.size() - 1) % communicator.size();
    if (next != me) {
        one->receive(got, previous);
        one->send(sent, next);
    }
    std::vector<std::int64_t> numbers(100'000, me);
    communicator.all_reduce_max(std::span(numbers));
    communicator.barrier();
    one->wait_all();
    EXPECT_EQ(numbers, std::vector<std::int64_t>(100'000, communicator.size() - 1));
    if (next != me) {
        EXPECT_TRUE(got == letter(previous, 0, 3, 3'000'000));
    }
}

// Small and large: libraries carry them in different ways.
void a_message_longer_than_its_place_is_a_failure(Communicator& communicator) {
    if (communicator.size() == 1) return;
    for (const std::size_t length : {std::size_t{11}, std::size_t{5'000'000}}) {
        const auto messages = communicator.make_messages();
        const Bytes sent(length, std::byte{1});
        Bytes place(length - 1);
        if (communicator.rank() == 1) {
            messages->send(sent, 0);
            messages->wait_all();
        }
        if (communicator.rank() == 0) {
            const std::size_t n = messages->receive(place, 1);
            try {
                messages->wait_for(n);
                ADD_FAILURE() << "nothing was thrown";
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::failure);
                EXPECT_NE(std::string(error.what()).find("rank 0: a message from rank 1 is longer"),
                          std::string::npos)
                    << error.what();
            }
        }
        communicator.barrier();
    }
}

void messages_to_oneself_or_to_nobody_are_a_bug(Communicator& communicator) {
    const auto messages = communicator.make_messages();
    std::byte byte{};
    for (const int rank : {communicator.rank(), communicator.size(), -1}) {
        EXPECT_THROW(messages->send(std::span(&byte, 1), rank), Error) << rank;
        EXPECT_THROW(messages->receive(std::span(&byte, 1), rank), Error) << rank;
    }
    messages->wait_all();
}

void asking_for_a_receive_that_there_is_not_is_a_bug(Communicator& communicator) {
    const auto messages = communicator.make_messages();
    EXPECT_THROW(messages->has_received(0), Error);
    EXPECT_THROW(static_cast<void>(messages->received(0)), Error);
}

// What is under way when an object goes is called off; what comes later is none of its.
void messages_may_be_given_up(Communicator& communicator) {
    const Bytes unread(100'000);
    Bytes unanswered(100'000);
    {
        const auto messages = communicator.make_messages();
        for (const int other : others(communicator)) {
            if (communicator.rank() == 0) messages->send(unread, other);
            if (communicator.rank() == 0) messages->receive(unanswered, other);
        }
    }
    communicator.barrier();
    const auto messages = communicator.make_messages();
    exchange(communicator, *messages, 100'000, true);
}

constexpr ContractCase kContract[] = {
    {"MessagesOfEveryLengthComeAsTheyWere", messages_of_every_length_come_as_they_were},
    {"MessagesOfTwoRanksComeInTheOrderOfSending", messages_of_two_ranks_come_in_the_order_of_sending},
    {"AMessageComesWhileRanksOnlyLook", a_message_comes_while_ranks_only_look},
    {"MessagesMixNeitherWithOthersNorWithCollectives", messages_mix_neither_with_others_nor_with_collectives},
    {"AMessageLongerThanItsPlaceIsAFailure", a_message_longer_than_its_place_is_a_failure},
    {"MessagesToOneselfOrToNobodyAreABug", messages_to_oneself_or_to_nobody_are_a_bug},
    {"AskingForAReceiveThatThereIsNotIsABug", asking_for_a_receive_that_there_is_not_is_a_bug},
    {"MessagesMayBeGivenUp", messages_may_be_given_up},
};

}  // namespace

std::span<const ContractCase> messages_contract() {
    return kContract;
}

}  // namespace vae_dist
