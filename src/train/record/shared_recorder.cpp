#include "train/record/shared_recorder.hpp"

#include <string_view>

#include "vae_dist/comm/agreement.hpp"

namespace vae_dist {

void SharedRecorder::record(const std::function<void(RunRecorder&)>& write) {
    if (!recorder_ || error_) return;
    try {
        write(*recorder_);
    } catch (...) {
        error_ = std::current_exception();
    }
}

std::exception_ptr SharedRecorder::error() const {
    return error_ || !recorder_ ? error_ : recorder_->error();
}

void SharedRecorder::run_together(const std::function<void(RunRecorder&)>& work) {
    run_on_first_rank(communicator_, [&] { work(*recorder_); });
}

void SharedRecorder::flush() {
    communicator_.set_activity("writing a checkpoint");
    run_together([&](RunRecorder& recorder) {
        if (error_) std::rethrow_exception(error_);
        recorder.flush();
    });
}

void SharedRecorder::flush_after(const Error& error, const Log& log) {
    communicator_.set_activity("writing a checkpoint");
    run_together([&](RunRecorder& recorder) {
        try {
            recorder.flush();
        } catch (const Error& later) {
            if (!std::string_view(error.what()).ends_with(later.what()))
                log.warn("besides, {}", later.what());
        }
    });
}

}  // namespace vae_dist
