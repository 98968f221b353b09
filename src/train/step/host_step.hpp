#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/train/step/shard_plan.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {

class GradientReducer;
class ParameterGather;
class Team;
struct SharedParameters;

/// Steps in the host's memory: the ranks of a host read each other's gradients and parameters in place, and
/// every chunk of the arrays is added up and updated while it lies in the cache.
class HostStep final : public TrainingStep {
 public:
    /// Collective. The replica's parameters and gradients move to memory that the ranks of a host share.
    HostStep(const Config& config, std::int64_t total_steps, Replica& replica, Communicator& communicator);
    ~HostStep() override;

    /// There is nothing that could go on meanwhile.
    int depth() const override { return 1; }
    void collect_state() override;
    std::int64_t bytes() const override;
    std::string description() const override;

 private:
    HostStep(const Config& config, std::int64_t total_steps, Replica& replica, Communicator& communicator,
             std::unique_ptr<Team> team);

    void repeatable(UnderWay& now, const std::function<void()>& body) override;
    void forward(const VaeInput& input, UnderWay& now) override;
    void add(ElementRange range, PassPlace place) override;
    void sum(UnderWay& now) override;
    void await_sum(UnderWay& now) override;
    void update(UnderWay& now) override;

    bool needs_norm_first() const;
    bool add_up(std::int64_t bucket, bool and_update);
    void update_own_parts(double factor);
    void update_chunk(ElementRange chunk, std::span<const float> gradient);
    double agree_on_norm(bool fits);
    void lap_sums();
    ElementRange own_part(std::int64_t bucket) const { return plan_.part(bucket, communicator_.rank()); }

    ShardPlan plan_;
    /// (chunks + 1) bits of each chunk's sum of squares, a double; last, whether a gradient did not fit.
    std::vector<std::int64_t> squares_;
    double optimizer_seconds_ = 0;  ///< since the last lap
    // What was given to the team's messages outlives them.
    std::unique_ptr<SharedParameters> parameters_;
    std::unique_ptr<GradientReducer> reducer_;
    std::unique_ptr<ParameterGather> gather_;
    std::unique_ptr<Team> team_;
};

}  // namespace vae_dist
