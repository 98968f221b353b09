#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace vae_dist {

/// Does jobs one after the other, in the order in which they come, on a thread of its own. The first job that
/// throws is the last that is done: those after it are dropped, for they may build on it.
class BackgroundQueue {
 public:
    BackgroundQueue() = default;
    /// Waits until all jobs are done. An error that nobody has asked for is lost.
    ~BackgroundQueue();
    BackgroundQueue(const BackgroundQueue&) = delete;
    BackgroundQueue& operator=(const BackgroundQueue&) = delete;

    /// Throws, and takes no job, where an earlier one failed.
    void post(std::function<void()> job);
    /// Returns when all jobs are done. Throws the error of the one that failed.
    void wait();
    /// The error of the job that failed, if one did; does not wait.
    std::exception_ptr error() const;

 private:
    void work(const std::stop_token& stop);

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> jobs_;  ///< the first one is under way
    std::exception_ptr error_;
    std::jthread thread_{[this](const std::stop_token& stop) { work(stop); }};
};

}  // namespace vae_dist
