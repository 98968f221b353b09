#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "train/step/engine.hpp"
#include "vae_dist/train/shard_plan.hpp"
#include "vae_dist/train/step_tail.hpp"

namespace vae_dist {

class GradientReducer;
class ParameterGather;
class Team;
struct SharedParameters;

/// Steps in the host's memory: the ranks of a host read each other's gradients and parameters in place, and
/// every chunk of the arrays is added up and updated while it lies in the cache.
class HostEngine final : public StepEngine {
 public:
    /// Collective. The replica's parameters and gradients move to memory that the ranks of a host share.
    HostEngine(const Config& config, std::int64_t total_steps, Replica& replica, Communicator& communicator);
    ~HostEngine() override;

    /// The whole step: there is nothing that could go on meanwhile.
    void start(BatchLoader& loader, std::int64_t step, std::int64_t update, const AskForWishes& ask) override;
    StepResult finish() override { return result_; }
    int depth() const override { return 1; }
    void collect_state() override;
    const StepTimes& times() const override { return times_; }
    std::int64_t bytes() const override;
    std::string description() const override;

 private:
    HostEngine(const Config& config, std::int64_t total_steps, Replica& replica, Communicator& communicator,
               std::unique_ptr<Team> team);
    void accumulate_slices(BatchLoader& loader, StepResult& result, StepTail& tail);
    void update_weights(StepResult& result, std::int64_t update);
    bool add_up(std::int64_t bucket, bool and_update);
    void update_own_parts(double factor);
    void update(ElementRange chunk, std::span<const float> gradient);
    double agree_on_norm(bool fits);
    ElementRange own_part(std::int64_t bucket) const { return plan_.part(bucket, communicator_.rank()); }
    ParameterStore& store() { return replica_.vae.parameters(); }

    Config config_;
    std::int64_t total_steps_;
    Replica& replica_;
    Communicator& communicator_;
    ShardPlan plan_;
    /// (chunks + 1) bits of each chunk's sum of squares, a double; last, whether a gradient did not fit.
    std::vector<std::int64_t> squares_;
    StepTimes times_;
    StepResult result_;
    // What was given to the team's messages outlives them.
    std::unique_ptr<SharedParameters> parameters_;
    std::unique_ptr<GradientReducer> reducer_;
    std::unique_ptr<ParameterGather> gather_;
    std::unique_ptr<Team> team_;
};

}  // namespace vae_dist
