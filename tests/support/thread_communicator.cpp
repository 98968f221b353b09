#include "support/thread_communicator.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

#include "support/thread_messages.hpp"
#include "vae_dist/comm/backoff.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

/// What one rank brings to a collective.
struct Offer {
    std::string call;  ///< its name and all else that must be equal on every rank
    std::span<const std::byte> bytes;
};

/// A rank has waited for the others as long as it may.
class OutOfPatience final : public Error {
 public:
    explicit OutOfPatience(const std::string& message) : Error(ErrorKind::failure, message) {}
};

/// The memory of collective calls. Each rank writes an offer, waits for all, reads the others' offers, and
/// waits for all again.
class Rendezvous {
 public:
    Rendezvous(int size, std::chrono::milliseconds patience)
        : patience_(patience),
          offers_(static_cast<std::size_t>(size)),
          here_(offers_.size()),
          gone_(offers_.size()) {}

    std::size_t size() const { return offers_.size(); }

    /// The longest that any rank waits.
    std::chrono::milliseconds patience() const { return patience_; }

    template <class Read>
    void collective(std::size_t rank, const Offer& mine, const Read& read) {
        collective(rank, mine, read, patience_);
    }

    /// `read` is given all ranks' offers, valid until it returns. OutOfPatience where the others have not all
    /// come within `patience`; all who come later fail.
    template <class Read>
    void collective(std::size_t rank, const Offer& mine, const Read& read,
                    std::chrono::milliseconds patience) {
        write_offer(rank, mine);
        wait_for_all(rank, mine.call, patience);
        for (std::size_t r = 0; r < size(); ++r) {
            if (offers_[r].call == mine.call) continue;
            fail(fmt::format("{} on rank {} met {} on rank {}", mine.call, rank, offers_[r].call, r));
        }
        read(offers_);
        wait_for_all(rank, mine.call, patience_);
    }

    /// Returns when `is_so()`, which any of the ranks `others` may make true.
    void wait_until(const std::string& what, const std::function<bool()>& is_so,
                    const std::vector<std::size_t>& others) {
        const auto latest = std::chrono::steady_clock::now() + patience_;
        for (Backoff backoff;; backoff.pause()) {
            // Looked at before it: what a rank did before it left counts.
            const bool vain = is_in_vain(others);
            if (is_so()) return;
            if (vain || std::chrono::steady_clock::now() > latest) give_up(what, others);
        }
    }

    /// The rank takes part in nothing more; `error` is why, null where it is done.
    void leave(std::size_t rank, const std::exception_ptr& error) {
        const std::lock_guard lock(mutex_);
        gone_[rank] = true;
        if (error && !first_error_) first_error_ = error;
        changed_.notify_all();
    }

    [[noreturn]] void fail(const std::string& why) {
        break_up(why);
        throw_failure("{}", why);
    }

    /// All who wait, and all who come, fail.
    void break_up(const std::string& why) {
        const std::lock_guard lock(mutex_);
        if (broken_.empty()) broken_ = why;
        changed_.notify_all();
    }

    void rethrow_first_error() const {
        if (first_error_) std::rethrow_exception(first_error_);
    }

 private:
    bool is_in_vain(const std::vector<std::size_t>& others) {
        const std::lock_guard lock(mutex_);
        return !broken_.empty() || first_error_ ||
               std::all_of(others.begin(), others.end(), [this](std::size_t rank) { return gone_[rank]; });
    }

    [[noreturn]] void give_up(const std::string& what, const std::vector<std::size_t>& others) {
        const std::lock_guard lock(mutex_);
        if (broken_.empty()) broken_ = fmt::format("{} waits in vain for {}", what, named(others));
        changed_.notify_all();
        throw_failure("{}", broken_);
    }

    // Once the rendezvous is broken offers stay as they are: others may still be reading them.
    void write_offer(std::size_t rank, const Offer& offer) {
        const std::lock_guard lock(mutex_);
        if (!broken_.empty()) throw_failure("{}", broken_);
        offers_[rank] = offer;
    }

    void wait_for_all(std::size_t rank, const std::string& call, std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        here_[rank] = true;
        if (std::count(here_.begin(), here_.end(), true) == std::ssize(here_)) {
            here_.assign(size(), false);
            ++round_;
            changed_.notify_all();
            return;
        }
        const auto complete = [this, round = round_] { return round_ != round; };
        const auto hopeless = [this] {
            return !broken_.empty() || std::find(gone_.begin(), gone_.end(), true) != gone_.end();
        };
        const bool in_time = changed_.wait_for(lock, patience, [&] { return complete() || hopeless(); });
        if (complete()) return;
        if (broken_.empty()) broken_ = fmt::format("{} waits in vain for {}", call, named(missing()));
        changed_.notify_all();
        if (!in_time) throw OutOfPatience(broken_);
        throw_failure("{}", broken_);
    }

    std::vector<std::size_t> missing() const {
        std::vector<std::size_t> ranks;
        for (std::size_t r = 0; r < size(); ++r) {
            if (!here_[r]) ranks.push_back(r);
        }
        return ranks;
    }

    std::string named(const std::vector<std::size_t>& ranks) const {
        std::vector<std::string> names;
        for (const std::size_t r : ranks)
            names.push_back(fmt::format("rank {}{}", r, gone_[r] ? " (gone)" : ""));
        return format_list(names);
    }

    std::chrono::milliseconds patience_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Offer> offers_;
    std::vector<bool> here_;
    std::vector<bool> gone_;
    std::uint64_t round_ = 0;
    std::string broken_;
    std::exception_ptr first_error_;
};

class ThreadCommunicator final : public Communicator {
 public:
    ThreadCommunicator(Rendezvous& rendezvous, std::size_t rank) : rendezvous_(rendezvous), rank_(rank) {}

    int rank() const override { return static_cast<int>(rank_); }
    int size() const override { return static_cast<int>(rendezvous_.size()); }
    std::string name() const override { return "threads"; }

    void all_reduce_sum(std::span<std::int64_t> values) override {
        // Unsigned, whose overflow is defined.
        all_reduce("all_reduce_sum of int64",
                   std::span(reinterpret_cast<std::uint64_t*>(values.data()), values.size()),
                   [](std::uint64_t a, std::uint64_t b) { return a + b; });
    }
    void all_reduce_sum(std::span<float> values) override {
        all_reduce("all_reduce_sum of float", values, [](float a, float b) { return a + b; });
    }
    void all_reduce_max(std::span<std::int64_t> values) override {
        all_reduce("all_reduce_max of int64", values,
                   [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
    }
    void all_reduce_max(std::span<double> values) override {
        all_reduce("all_reduce_max of double", values, [](double a, double b) { return std::max(a, b); });
    }

    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds patience) override {
        std::int64_t largest = value;
        const Offer mine = {"all_reduce_max_within", std::as_bytes(std::span(&value, 1))};
        const auto read = [&](const std::vector<Offer>& offers) {
            for (const Offer& offer : offers) {
                largest = std::max(largest, *reinterpret_cast<const std::int64_t*>(offer.bytes.data()));
            }
        };
        try {
            rendezvous_.collective(rank_, mine, read, std::min(patience, rendezvous_.patience()));
        } catch (const OutOfPatience&) {
            if (patience >= rendezvous_.patience()) throw;
            return std::nullopt;
        }
        return largest;
    }

    void broadcast(std::span<std::byte> bytes, int root) override {
        const Offer mine = {fmt::format("broadcast of {} bytes from rank {}", bytes.size(), root), bytes};
        rendezvous_.collective(rank_, mine, [&](const std::vector<Offer>& offers) {
            const auto from = offers.at(static_cast<std::size_t>(root)).bytes;
            if (rank() != root) std::copy(from.begin(), from.end(), bytes.begin());
        });
    }

    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) override {
        std::vector<std::vector<std::byte>> gathered;
        const Offer mine = {fmt::format("gather on rank {}", root), bytes};
        rendezvous_.collective(rank_, mine, [&](const std::vector<Offer>& offers) {
            if (rank() != root) return;
            for (const Offer& offer : offers)
                gathered.emplace_back(offer.bytes.begin(), offer.bytes.end());
        });
        return gathered;
    }

    void barrier() override {
        rendezvous_.collective(rank_, {"barrier", {}}, [](const std::vector<Offer>&) {});
    }

    void wait_until(const std::function<bool()>& is_so) override {
        std::vector<std::size_t> others;
        for (std::size_t r = 0; r < rendezvous_.size(); ++r) {
            if (r != rank_) others.push_back(r);
        }
        rendezvous_.wait_until("wait_until", is_so, others);
    }

    // The mailboxes that rank 0 makes are everyone's.
    std::unique_ptr<Messages> make_messages() override {
        auto mailboxes = make_mailboxes(size());
        const auto mine = mailboxes;
        rendezvous_.collective(
            rank_, {"make_messages", std::as_bytes(std::span(&mine, 1))},
            [&](const std::vector<Offer>& offers) {
                mailboxes = *reinterpret_cast<const std::shared_ptr<Mailboxes>*>(offers.front().bytes.data());
            });
        const auto wait = [&rendezvous = rendezvous_](const std::string& what,
                                                      const std::function<bool()>& is_so, int on) {
            rendezvous.wait_until(what, is_so, {static_cast<std::size_t>(on)});
        };
        return make_thread_messages(std::move(mailboxes), rank(), wait);
    }

    void abort(int exit_status) noexcept override {
        rendezvous_.break_up(fmt::format("rank {} aborted with exit status {}", rank_, exit_status));
    }

 private:
    /// Every rank combines all offers in the order of ranks, hence to the same bits.
    template <class T, class Combine>
    void all_reduce(const char* name, std::span<T> values, const Combine& combine) {
        std::vector<T> result;
        const Offer mine = {fmt::format("{}, {} elements", name, values.size()), std::as_bytes(values)};
        rendezvous_.collective(rank_, mine, [&](const std::vector<Offer>& offers) {
            for (const Offer& offer : offers) {
                const std::span<const T> theirs(reinterpret_cast<const T*>(offer.bytes.data()),
                                                values.size());
                if (result.empty()) {
                    result.assign(theirs.begin(), theirs.end());
                } else {
                    std::transform(result.begin(), result.end(), theirs.begin(), result.begin(), combine);
                }
            }
        });
        std::copy(result.begin(), result.end(), values.begin());
    }

    Rendezvous& rendezvous_;
    std::size_t rank_;
};

}  // namespace

void run_ranks(int size, const std::function<void(Communicator&)>& body, std::chrono::milliseconds patience) {
    Rendezvous rendezvous(size, patience);
    {
        std::vector<std::jthread> threads;
        for (std::size_t rank = 0; rank < rendezvous.size(); ++rank) {
            threads.emplace_back([&rendezvous, &body, rank] {
                std::exception_ptr error;
                try {
                    ThreadCommunicator communicator(rendezvous, rank);
                    body(communicator);
                } catch (...) {
                    error = std::current_exception();
                }
                rendezvous.leave(rank, error);
            });
        }
    }
    rendezvous.rethrow_first_error();
}

}  // namespace vae_dist
