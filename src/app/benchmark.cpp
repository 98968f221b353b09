#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "app/commands.hpp"
#include "app/fresh_run.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

namespace {

struct Part {
    const char* name;
    double StepTimes::*seconds;
};
constexpr std::array kParts = {
    Part{"data", &StepTimes::data},         Part{"forward", &StepTimes::forward},
    Part{"backward", &StepTimes::backward}, Part{"wait", &StepTimes::wait},
    Part{"reduce", &StepTimes::reduce},     Part{"optimizer", &StepTimes::optimizer}};
constexpr std::size_t kWaiting = 3;  // of kParts

/// Milliseconds of one step, or of the mean of several.
struct Timing {
    double whole = 0;
    std::array<double, kParts.size()> parts{};

    /// What took no wait for other ranks.
    double work() const { return whole - parts[kWaiting]; }
    Timing& operator+=(const Timing& other) {
        whole += other.whole;
        for (std::size_t i = 0; i < parts.size(); ++i)
            parts[i] += other.parts[i];
        return *this;
    }
    Timing operator/(double divisor) const {
        Timing quotient = *this;
        quotient.whole /= divisor;
        for (double& part : quotient.parts)
            part /= divisor;
        return quotient;
    }
};

Timing mean(std::span<const Timing> timings) {
    Timing sum;
    for (const Timing& timing : timings)
        sum += timing;
    return sum / static_cast<double>(timings.size());
}

/// The mean of the steps around the median, a fifth of them all: as insensitive to a few slow steps as the
/// median, but the parts add up to the whole.
Timing middle(std::vector<Timing> timings) {
    std::ranges::sort(timings, {}, &Timing::whole);
    const std::size_t size = timings.size();
    const std::size_t left_out = size * 2 / 5;
    return mean(std::span(timings).subspan(left_out, size - 2 * left_out));
}

/// A rank's figures of its steps.
struct Report {
    Timing middle;
    double mean_ms = 0;
    double loader_seconds = 0;  ///< for a batch
};

std::vector<Report> gather(const Report& mine, Communicator& communicator) {
    std::vector<Report> reports;
    for (const auto& bytes : communicator.gather(std::as_bytes(std::span(&mine, 1)), 0)) {
        require(bytes.size() == sizeof(Report), "every rank gives one report");
        std::memcpy(&reports.emplace_back(), bytes.data(), sizeof(Report));
    }
    return reports;
}

template <class Number>
double largest(const std::vector<Report>& reports, Number number) {
    double most = 0;
    for (const Report& report : reports)
        most = std::max(most, number(report));
    return most;
}

/// Steps one after the other, as many of them under way as a run has.
class StepTimer {
 public:
    StepTimer(TrainingStep& step, BatchLoader& loader, std::int64_t steps)
        : step_(step), loader_(loader), steps_(steps) {}

    /// From the end of the step before to that of the next one.
    Timing next() {
        const auto begun = std::chrono::steady_clock::now();
        for (; started_ < steps_ && started_ - finished_ < step_.depth(); ++started_)
            step_.start(loader_, started_, started_);
        ++finished_;
        if (!step_.finish().applied) {
            throw Error(ErrorKind::failure,
                        "training diverged, so that there is nothing to time; lower "
                        "optimizer.learning_rate")
                .mark_on_all_ranks();
        }
        const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begun;
        Timing timing = {.whole = whole.count() * 1e3};
        for (std::size_t i = 0; i < kParts.size(); ++i)
            timing.parts[i] = step_.times().*kParts[i].seconds * 1e3;
        return timing;
    }

 private:
    TrainingStep& step_;
    BatchLoader& loader_;
    std::int64_t steps_;
    std::int64_t started_ = 0;
    std::int64_t finished_ = 0;
};

Report time_steps(const BenchmarkCommand& command, TrainingStep& step, BatchLoader& loader) {
    StepTimer timer(step, loader, command.warmup + command.steps);
    for (std::int64_t i = 0; i < command.warmup; ++i)
        timer.next();
    const LoaderWork before = loader.work();
    std::vector<Timing> timings;
    for (std::int64_t i = 0; i < command.steps; ++i)
        timings.push_back(timer.next());
    const LoaderWork after = loader.work();
    return {.middle = middle(timings),
            .mean_ms = mean(timings).whole,
            .loader_seconds = (after.seconds - before.seconds) /
                              static_cast<double>(std::max<std::int64_t>(after.batches - before.batches, 1))};
}

/// The parts are those of the rank that works longest, for which the others wait.
nlohmann::ordered_json summary(const std::vector<Report>& reports, double samples, std::int64_t virtual_ranks,
                               std::size_t row_bytes) {
    const Timing& slowest =
        std::ranges::max(reports, {}, [](const Report& report) { return report.middle.work(); }).middle;
    const double step_ms = slowest.whole;
    nlohmann::ordered_json parts;
    double rest = step_ms;
    for (std::size_t i = 0; i < kParts.size(); ++i) {
        parts[kParts[i].name] = slowest.parts[i];
        rest -= slowest.parts[i];
    }
    parts["other"] = rest;
    const double loader_seconds =
        largest(reports, [](const Report& report) { return report.loader_seconds; });
    nlohmann::ordered_json all = {
        {"step_ms", step_ms},
        {"samples_per_second", samples / step_ms * 1e3},
        {"ranks", reports.size()},
        {"virtual_ranks", virtual_ranks},
        {"parts_ms", parts},
        {"longest_wait_ms",
         largest(reports, [](const Report& report) { return report.middle.parts[kWaiting]; })},
        {"mean_step_ms", largest(reports, [](const Report& report) { return report.mean_ms; })}};
    // In a few steps the loader may have had all batches ready before.
    if (loader_seconds > 0) {
        all["data_samples_per_second"] = samples / loader_seconds;
        all["data_megabytes_per_second"] = samples / loader_seconds * static_cast<double>(row_bytes) / 1e6;
    }
    return all;
}

}  // namespace

void run_command(const BenchmarkCommand& command, Communicator& communicator, const Log& log) {
    const FreshRun run(command.config, command.overrides, communicator, log);
    const std::int64_t virtual_ranks = run.config.train.virtual_ranks.value();
    const auto step =
        make_training_step(run.config, command.warmup + command.steps, *run.started.replica, communicator);
    std::unique_ptr<BatchLoader> loader;
    run_together(communicator, [&] { loader = run.data.start_loader(0, 0); });
    log.info("{}, threads of each: {}, {}, {}; {}", counted(communicator.size(), "rank"),
             run.started.backend->threads(), counted(virtual_ranks, "virtual rank"),
             run.started.backend->description(), run.data.source().description());
    const std::vector<Report> reports = gather(time_steps(command, *step, *loader), communicator);
    if (reports.empty()) return;
    const double samples =
        static_cast<double>(std::min(run.config.train.batch_size, run.data.plan().samples()));
    log.info("{}", summary(reports, samples, virtual_ranks, run.data.source().row_bytes()).dump());
}

}  // namespace vae_dist
