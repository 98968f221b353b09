#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace vae_dist {

/// A queue of jobs that a thread of its own does one after the other, in the order of `post`. After the first
/// job that throws, all later jobs are dropped, for they may depend on it.
class BackgroundQueue {
 public:
    BackgroundQueue() = default;
    /// Waits until all jobs are done. An error that neither `wait` nor `error` has reported is lost.
    ~BackgroundQueue();
    BackgroundQueue(const BackgroundQueue&) = delete;
    BackgroundQueue& operator=(const BackgroundQueue&) = delete;

    /// Adds a job; where an earlier job failed, throws its error instead.
    void post(std::function<void()> job);
    /// Returns when all jobs are done. Throws the error of the job that failed.
    void wait();
    /// The error of the job that failed, if one did; does not wait.
    std::exception_ptr error() const;

 private:
    void work(const std::stop_token& stop);

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> jobs_;  ///< the first one is being done
    std::exception_ptr error_;
    std::jthread thread_{[this](const std::stop_token& stop) { work(stop); }};
};

}  // namespace vae_dist
