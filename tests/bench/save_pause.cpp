// What a save takes of training: the pause against one copy of the same bytes, and how long a reader of HDF5
// waits while a checkpoint is written. See README.md.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/train/record/run_recorder.hpp"
#include "vae_dist/train/run/start.hpp"

namespace vae_dist {
namespace {

using Clock = std::chrono::steady_clock;

template <class Work>
double milliseconds_of(const Work& work) {
    const auto begun = Clock::now();
    work();
    return std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

Config config_of(const std::string& width, const std::string& directory) {
    Config config = parse_config(
        fmt::format(
            "data: {{synthetic: {{samples: 4, shape: [784]}}}}\n"
            "model: {{latent_dim: 32, encoder: {{hidden: [{0}, {0}]}}, decoder: {{hidden: [{0}, {0}]}}, "
            "likelihood: gaussian}}\n"
            "train: {{batch_size: 4, steps: 1}}\n"
            "output: {{directory: {1}, keep: 1}}\n",
            width, directory),
        "save_pause");
    config.train.virtual_ranks = 1;
    return config;
}

/// Reads a few numbers over and over on a thread of its own, as a loader does, and knows the longest wait.
class Reader {
 public:
    explicit Reader(const std::string& path) {
        constexpr std::int64_t kRows = 64;
        hdf5::File file = hdf5::File::create(path);
        file.write_floats("/x", std::vector<std::int64_t>{kRows, 8}, std::vector<float>(8 * kRows), false);
        file.close();
        thread_ = std::jthread([this, path](const std::stop_token& stop) {
            const hdf5::RowReader rows(path, "/x");
            std::vector<std::byte> row(8 * sizeof(float));
            while (!stop.stop_requested()) {
                const double wait = milliseconds_of([&] { rows.read(0, 1, row.data()); });
                if (wait > longest_) longest_ = wait;
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            }
        });
    }
    double take_longest() { return longest_.exchange(0); }

 private:
    std::atomic<double> longest_{0};
    std::jthread thread_;
};

void time_saves(const std::string& width, int times) {
    const TemporaryFolder folder;
    const Config config = config_of(width, folder.file("run"));
    const Log log(0);
    SelfCommunicator self;
    const TrainingData data(config, self);
    const StartedReplica started = start_replica(config, data, std::nullopt, self, log);
    const auto states = static_cast<std::int64_t>(started.replica->optimizer.states().size());
    const auto bytes =
        sizeof(float) * static_cast<std::size_t>((1 + states) * started.replica->vae.layout().size());
    fmt::print("{} parameters, {} MB of state\n", started.replica->vae.layout().parameter_count(),
               bytes / 1000000);

    const std::vector<std::byte> from(bytes, std::byte{1});
    std::vector<std::byte> to(bytes, std::byte{2});
    RunRecorder recorder(config.output, log);
    recorder.begin(config, CheckpointSchedule(config.output, 1, 1'000'000), {});
    Reader reader(folder.file("data.h5"));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    fmt::print("longest read of HDF5 with nothing else going on: {:.2f} ms\n", reader.take_longest());

    std::vector<double> pauses;
    std::vector<double> copies;
    for (std::int64_t step = 0; step < times; ++step) {
        recorder.save(
            [&](Checkpoint& snapshot) { take_snapshot(config, data, started, {.step = step}, snapshot); },
            step, {.as_best = false, .occasion = RunRecorder::Occasion::scheduled});
        const double pause = 1e3 * recorder.save_times().last_pause;
        recorder.flush();
        const double copy = milliseconds_of([&] { std::memcpy(to.data(), from.data(), bytes); });
        fmt::print(
            "save {}: pause {:.1f} ms, a copy of the bytes {:.1f} ms; longest read of HDF5 meanwhile {:.2f} "
            "ms; longest write so far {:.0f} ms\n",
            step, pause, copy, reader.take_longest(), 1e3 * recorder.save_times().longest_write);
        if (step == 0) continue;
        pauses.push_back(pause);
        copies.push_back(copy);
    }
    fmt::print("medians but for the first: pause {:.1f} ms, copy {:.1f} ms\n", median(pauses),
               median(copies));
}

}  // namespace
}  // namespace vae_dist

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: save_pause WIDTH TIMES\n");
        return 2;
    }
    vae_dist::time_saves(argv[1], std::max(std::atoi(argv[2]), 2));
    return 0;
}
