#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/commands.hpp"
#include "app/fresh_run.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/train/training_step.hpp"

namespace vae_dist {

namespace {

// The whole step, then its parts, in the order of StepTimes; milliseconds.
using Timing = std::array<double, 6>;

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Timing medians(const std::vector<Timing>& timings) {
    Timing result{};
    for (std::size_t part = 0; part < result.size(); ++part) {
        std::vector<double> values;
        for (const Timing& timing : timings)
            values.push_back(timing[part]);
        result[part] = median(std::move(values));
    }
    return result;
}

Timing time_step(TrainingStep& step, BatchLoader& loader, std::int64_t number) {
    const auto begun = std::chrono::steady_clock::now();
    if (!step.run(loader, number, number).applied) {
        throw Error(ErrorKind::failure,
                    "training diverged, so that there is nothing to time; lower "
                    "optimizer.learning_rate")
            .mark_on_all_ranks();
    }
    const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begun;
    const StepTimes& times = step.times();
    Timing timing = {whole.count(), times.data, times.forward, times.backward, times.reduce, times.optimizer};
    for (double& seconds : timing)
        seconds *= 1e3;
    return timing;
}

}  // namespace

void run_command(const BenchmarkCommand& command, Communicator& communicator, const Log& log) {
    const FreshRun run(command.config, command.overrides, communicator, log);
    const std::int64_t virtual_ranks = run.config.train.virtual_ranks.value();
    const std::int64_t steps = command.warmup + command.steps;
    TrainingStep step(run.config, steps, *run.started.replica, communicator);
    std::unique_ptr<BatchLoader> loader;
    run_together(communicator, [&] { loader = run.data.start_loader(0, 0); });
    log.info("{} ranks, {} virtual ranks, {}; {}", communicator.size(), virtual_ranks,
             run.started.backend->description(), run.data.source().description());
    std::vector<Timing> timings;
    for (std::int64_t i = 0; i < steps; ++i) {
        const Timing timing = time_step(step, *loader, i);
        if (i >= command.warmup) timings.push_back(timing);
    }
    Timing slowest = medians(timings);
    communicator.all_reduce_max(slowest);
    const double samples =
        static_cast<double>(std::min(run.config.train.batch_size, run.data.plan().samples()));
    const nlohmann::ordered_json json = {{"step_ms", slowest[0]},
                                         {"samples_per_second", samples / slowest[0] * 1e3},
                                         {"ranks", communicator.size()},
                                         {"virtual_ranks", virtual_ranks},
                                         {"parts_ms",
                                          {{"data", slowest[1]},
                                           {"forward", slowest[2]},
                                           {"backward", slowest[3]},
                                           {"reduce", slowest[4]},
                                           {"optimizer", slowest[5]}}}};
    log.info("{}", json.dump());
}

}  // namespace vae_dist
