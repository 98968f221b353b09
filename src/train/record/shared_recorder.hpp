#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/train/record/run_recorder.hpp"

namespace vae_dist {

/// The recorder for all ranks: rank 0 writes, and the others do nothing. An error of writing is kept until
/// the next collective call, so that all ranks throw it and none waits for ever.
class SharedRecorder {
 public:
    /// `recorder` is null on all ranks but 0.
    SharedRecorder(std::unique_ptr<RunRecorder> recorder, Communicator& communicator)
        : recorder_(std::move(recorder)), communicator_(communicator) {}

    /// Rank 0 alone: does `write`, unless an earlier one failed. Never throws.
    void record(const std::function<void(RunRecorder&)>& write);

    /// What went wrong so far, on rank 0; null elsewhere.
    std::exception_ptr error() const;

    bool is_saving() const { return recorder_ && recorder_->is_saving(); }
    RunRecorder::SaveTimes save_times() const {
        return recorder_ ? recorder_->save_times() : RunRecorder::SaveTimes{};
    }

    /// Collective. Rank 0 does `work`; its error is thrown on all ranks.
    void run_together(const std::function<void(RunRecorder&)>& work);

    /// Collective. Returns when all that was recorded is on disk; throws what went wrong, on all ranks.
    void flush();

    /// Collective. The same after an error that is on its way out on all ranks: what else goes wrong is a
    /// warning, for the error that came first is the one that the user hears of.
    void flush_after(const Error& error, const Log& log);

 private:
    std::unique_ptr<RunRecorder> recorder_;
    Communicator& communicator_;
    std::exception_ptr error_;  ///< of a call of `record`
};

}  // namespace vae_dist
