#include "support/thread_messages.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

struct Mail {
    // A class without one is not for make_shared in Clang before version 16.
    Mail(std::span<const std::byte> sent, int receiver) : bytes(sent), to(receiver) {}

    std::span<const std::byte> bytes;  ///< the sender's
    int to;
    std::atomic<bool> taken = false;
};

}  // namespace

class Mailboxes {
 public:
    explicit Mailboxes(int size) : size_(static_cast<std::size_t>(size)), boxes_(size_ * size_) {}

    std::size_t size() const { return size_; }

    void put(std::shared_ptr<Mail> mail, int from) {
        const std::lock_guard lock(mutex_);
        box(from, mail->to).push_back(std::move(mail));
    }

    /// Copies the first message into `into`; its length, none where there is none.
    std::optional<std::size_t> take(std::span<std::byte> into, int from, int to) {
        const std::lock_guard lock(mutex_);
        auto& mails = box(from, to);
        if (mails.empty()) return std::nullopt;
        const std::shared_ptr<Mail> mail = std::move(mails.front());
        mails.pop_front();
        const std::size_t length = mail->bytes.size();
        const bool fits = length <= into.size();
        if (fits) std::copy(mail->bytes.begin(), mail->bytes.end(), into.begin());
        mail->taken = true;
        if (!fits) {
            throw_failure("rank {}: a message from rank {} is longer than its place: {} bytes, not {}", to,
                          from, length, into.size());
        }
        return length;
    }

    /// Nothing of `from` is read any more.
    void withdraw(int from) {
        const std::lock_guard lock(mutex_);
        for (std::size_t to = 0; to < size_; ++to)
            box(from, static_cast<int>(to)).clear();
    }

 private:
    std::deque<std::shared_ptr<Mail>>& box(int from, int to) {
        return boxes_.at(static_cast<std::size_t>(from) * size_ + static_cast<std::size_t>(to));
    }

    std::size_t size_;
    std::mutex mutex_;
    std::vector<std::deque<std::shared_ptr<Mail>>> boxes_;  ///< (from, to)
};

namespace {

class ThreadMessages final : public Messages {
 public:
    ThreadMessages(std::shared_ptr<Mailboxes> mailboxes, int rank, WaitForRank wait)
        : mailboxes_(std::move(mailboxes)), rank_(rank), wait_(std::move(wait)) {}
    ~ThreadMessages() override { mailboxes_->withdraw(rank_); }
    ThreadMessages(const ThreadMessages&) = delete;
    ThreadMessages& operator=(const ThreadMessages&) = delete;

    void send(std::span<const std::byte> bytes, int to) override {
        expect_other(to);
        sent_.push_back(std::make_shared<Mail>(bytes, to));
        mailboxes_->put(sent_.back(), rank_);
    }

    std::size_t receive(std::span<std::byte> into, int from) override {
        expect_other(from);
        receives_.push_back({into, from, std::nullopt});
        return receives_.size() - 1;
    }

    // A message goes to the first receive from its rank that has none, though it may come in the midst of
    // this.
    void progress() override {
        std::vector<bool> is_open(mailboxes_->size());
        for (Receive& receive : receives_) {
            if (receive.length || is_open[static_cast<std::size_t>(receive.from)]) continue;
            receive.length = mailboxes_->take(receive.into, receive.from, rank_);
            is_open[static_cast<std::size_t>(receive.from)] = !receive.length;
        }
    }

    bool has_received(std::size_t n) override {
        require(n < receives_.size(), "a receive is asked for before wait_all forgets it");
        progress();
        return receives_[n].length.has_value();
    }

    std::size_t received(std::size_t n) const override {
        require(n < receives_.size() && receives_[n].length,
                "the length of a message is known once it is there");
        return *receives_[n].length;
    }

    void wait_for(std::size_t n) override {
        wait_(
            "a receive", [&] { return has_received(n); }, receives_.at(n).from);
    }

    void wait_all() override {
        for (std::size_t n = 0; n < receives_.size(); ++n)
            wait_for(n);
        for (const auto& mail : sent_)
            wait_(
                "a send", [&] { return mail->taken.load(); }, mail->to);
        receives_.clear();
        sent_.clear();
    }

 private:
    struct Receive {
        std::span<std::byte> into;
        int from;
        std::optional<std::size_t> length;  ///< of the message, once it is there
    };

    void expect_other(int rank) const {
        require(rank >= 0 && rank < static_cast<int>(mailboxes_->size()) && rank != rank_,
                "messages go to other ranks of the group");
    }

    std::shared_ptr<Mailboxes> mailboxes_;
    int rank_;
    WaitForRank wait_;
    std::vector<Receive> receives_;
    std::vector<std::shared_ptr<Mail>> sent_;
};

}  // namespace

std::shared_ptr<Mailboxes> make_mailboxes(int size) {
    return std::make_shared<Mailboxes>(size);
}

std::unique_ptr<Messages> make_thread_messages(std::shared_ptr<Mailboxes> mailboxes, int rank,
                                               WaitForRank wait) {
    return std::make_unique<ThreadMessages>(std::move(mailboxes), rank, std::move(wait));
}

}  // namespace vae_dist
