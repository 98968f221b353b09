#include "vae_dist/core/background_queue.hpp"

#include <utility>

namespace vae_dist {

BackgroundQueue::~BackgroundQueue() = default;

void BackgroundQueue::post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
}

void BackgroundQueue::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return jobs_.empty(); });
    if (error_) std::rethrow_exception(error_);
}

std::exception_ptr BackgroundQueue::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

void BackgroundQueue::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    // A request to stop ends the wait only when no jobs are left.
    while (changed_.wait(lock, stop, [&] { return !jobs_.empty(); })) {
        const std::function<void()>& job = jobs_.front();
        lock.unlock();
        std::exception_ptr error;
        try {
            job();
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        if (error) {
            error_ = std::move(error);
            jobs_.clear();
        } else {
            jobs_.pop_front();
        }
        changed_.notify_all();
    }
}

}  // namespace vae_dist
