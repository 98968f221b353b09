#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vae_dist {

/// Threads that wait for work. They wait shortly on the processor, for the next operation mostly comes within
/// microseconds. Then they sleep, for another process may need the core. (OpenMP's threads wait for
/// milliseconds on the processor: a step took ten times as long on cores that another process used too.)
class ThreadTeam {
 public:
    /// `count` threads, the caller of `run` among them. Throws where the system does not give as many.
    explicit ThreadTeam(int count);
    ~ThreadTeam();
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;

    /// job(thread) on each thread, with 0 for the caller, which waits for all. The job must not throw.
    template <class Job>
    void run(const Job& job) {
        run({[](const void* what, int thread) { (*static_cast<const Job*>(what))(thread); }, &job});
    }

    /// Whether the calling thread is at a team's work.
    static bool is_working();

 private:
    struct Work {
        void (*call)(const void* job, int thread) = nullptr;
        const void* job = nullptr;
    };

    void run(const Work& work);
    void serve(int thread);
    void end();

    int spins_;  ///< of a wait before it sleeps
    Work work_;
    std::atomic<std::uint32_t> round_ = 0;  ///< begins one's work; 0 only before the first
    std::atomic<std::int32_t> busy_ = 0;    ///< threads at this round's work, but for the caller
    bool ends_ = false;
    std::vector<std::jthread> threads_;
};

/// How the work of one operation is shared among threads. An operation cuts its work into pieces whose
/// results do not depend on the cuts: no bit may depend on the number of threads. Copies share one team,
/// which runs the work of one caller at a time.
class Threads {
 public:
    explicit Threads(std::int64_t count)
        : count_(count), team_(count > 1 ? std::make_shared<ThreadTeam>(static_cast<int>(count)) : nullptr) {}

    std::int64_t count() const { return count_; }

    /// body(i, thread) for each i below `count`, where no two calls at one time have the same thread number.
    /// Within a team's work that holds for the calls of one thread alone: all are its own, with number 0.
    template <class Body>
    void each_with_thread(std::int64_t count, const Body& body) const {
        if (team_ == nullptr || count <= 1 || ThreadTeam::is_working()) {
            for (std::int64_t i = 0; i < count; ++i)
                body(i, 0);
        } else {
            share(count, body);
        }
    }

    /// body(i) for each i below `count`.
    template <class Body>
    void each(std::int64_t count, const Body& body) const {
        each_with_thread(count, [&](std::int64_t i, int) { body(i); });
    }

    /// body(first, last) for pieces of [0, size), at most one a thread, that begin at multiples of `grain`.
    template <class Body>
    void split(std::int64_t size, std::int64_t grain, const Body& body) const {
        const std::int64_t grains = (size + grain - 1) / grain;
        const std::int64_t pieces = std::min(count_, grains);
        if (pieces <= 1 || ThreadTeam::is_working()) return body(std::int64_t{0}, size);
        const auto cut = [&](std::int64_t i) { return std::min(size, grains * i / pieces * grain); };
        each(pieces, [&](std::int64_t i) { body(cut(i), cut(i + 1)); });
    }

 private:
    // A thread that is free takes the next piece. Of several exceptions the first piece's is thrown, when all
    // pieces are done.
    template <class Body>
    void share(std::int64_t count, const Body& body) const {
        std::atomic<std::int64_t> next = 0;
        std::mutex mutex;
        std::exception_ptr error;
        std::int64_t failed = count;
        team_->run([&](int thread) {
            for (std::int64_t i = next++; i < count; i = next++) {
                try {
                    body(i, thread);
                } catch (...) {
                    const std::lock_guard lock(mutex);
                    if (i < failed) error = std::current_exception();
                    failed = std::min(failed, i);
                }
            }
        });
        if (error) std::rethrow_exception(error);
    }

    std::int64_t count_;
    std::shared_ptr<ThreadTeam> team_;
};

/// Elements of an array below which a piece is not worth another thread.
inline constexpr std::int64_t kGrain = 8192;

/// Rows of a matrix that make such a piece.
inline std::int64_t row_grain(std::int64_t columns) {
    return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns));
}

}  // namespace vae_dist
