#include "vae_dist/train/run/trainer.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "train/run/run.hpp"
#include "train/run/stop_request.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/failure_detector.hpp"
#include "vae_dist/train/record/run_recorder.hpp"
#include "vae_dist/train/run/consistency.hpp"
#include "vae_dist/train/run/resume.hpp"
#include "vae_dist/train/run/training_data.hpp"

namespace vae_dist {

namespace {

std::chrono::milliseconds in_milliseconds(Duration duration) {
    return duration == kForever ? std::chrono::milliseconds::max() : duration;
}

}  // namespace

TrainingEnd train(const Config& asked, const StopSignals& signals, Communicator& unmonitored,
                  const Log& log) {
    StopRequest stop_request(signals, TimeLimit::Clock::now());
    FailureDetector detector(unmonitored,
                             {.warning = in_milliseconds(asked.train.stall_warning),
                              .limit = in_milliseconds(asked.train.stall_limit)},
                             log);
    Communicator& communicator = detector.communicator();
    std::unique_ptr<RunRecorder> recorder;
    communicator.set_activity("opening the run's directory");
    run_on_first_rank(communicator, [&] { recorder = std::make_unique<RunRecorder>(asked.output, log); });
    std::optional<Checkpoint> resumed = load_newest_checkpoint(recorder.get(), communicator, log);
    Config config = asked;
    run_together(communicator, [&] {
        const std::int64_t saved = resumed ? resumed->config.train.virtual_ranks.value() : 0;
        config.train.virtual_ranks = resolve_virtual_ranks(asked.train, saved, communicator.size());
        if (resumed) require_same_configuration(config, *resumed);
    });
    require_same_on_all_ranks(config, communicator);
    communicator.set_activity("opening the data");
    Run run(config, std::move(recorder), resumed, stop_request, communicator, log);
    resumed.reset();  // its state is taken over
    return run.train();
}

}  // namespace vae_dist
