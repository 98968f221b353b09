#include "train/step/gradient_reducer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "train/step/host_messages.hpp"
#include "train/step/shared_parameters.hpp"
#include "train/step/sum_formats.hpp"
#include "train/step/team.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// One class for all formats. What a rank contributes its neighbours read in place: the gradients themselves
/// of a rank with one slice a step, else the sums of its slices. What the ranks of a host contribute to a
/// part of another host's, one of them adds up and sends to its owner.
template <class Format>
class ShardedReducer final : public GradientReducer {
 public:
    using Sum = typename Format::Sum;

    ShardedReducer(Format format, const ReducerOptions& options, const ShardPlan& plan,
                   SharedParameters& parameters, Backend& backend, Team& team)
        : format_(format),
          plan_(plan),
          backend_(backend),
          team_(team),
          overlap_(options.overlap),
          one_slice_(options.slices == 1),
          neighbours_(neighbours_of(options.slices, team)),
          gradients_(parameters.gradients),
          sums_(team, backend, any_with_several() ? gradients().size() : 0) {
        plan_messages();
    }

    void begin() override {
        covered_ = 0;
        begun_ = false;
        fits_ = true;
        next_bucket_ = 0;
        ++step_;
        for (Bucket& bucket : buckets_) {
            for (Incoming& incoming : bucket.incoming)
                incoming.number = team_.messages().receive(incoming.message.memory(), incoming.from);
        }
    }

    // Slices come one after the other and each covers the array from its front to its end, so what a slice
    // has been added to is a prefix. The first one overwrites, so that nothing need be cleared.
    void add(std::int64_t begin, std::int64_t end, bool last) override {
        const ElementRange range = {begin, end};
        begun_ = true;
        if (!one_slice_) {
            const bool fits = format_.add_slice(elements(gradients(), range), begin >= covered_,
                                                elements(sums_.mine(), range));
            fits_ = fits_ && fits;
            covered_ = std::max(covered_, end);
        }
        if (last) finished(end);
    }

    void reduce_tail(StepTail& tail) override {
        // A rank without a slice contributes zeros. After an error the step is given up, by the tail, and
        // neighbours may be reading what was published.
        if (!begun_) clear();
        finished(plan_.size());
        team_.synchronize_neighbours();
        send_finished_buckets();
        if (!fits_) tail.report_nonfinite();
        team_.sum(tail.words());
    }

    void wait_for(std::int64_t bucket) override {
        if (buckets_.empty()) return;
        for (Incoming& incoming : buckets_[static_cast<std::size_t>(bucket)].incoming) {
            team_.messages().wait_for(incoming.number);
            incoming.message.open(team_.messages().received(incoming.number));
        }
    }

    bool sum(std::int64_t bucket, ElementRange chunk, std::span<float> to) override {
        constexpr std::size_t kMost = 1024;
        if (!buckets_.empty() || any_with_several() || neighbours_.size() > kMost)
            return sum_in_memory(bucket, chunk, to);
        std::array<const float*, kMost> slices;
        for (std::size_t i = 0; i < neighbours_.size(); ++i)
            slices[i] = gradients_.of(neighbours_[i].rank).data() + chunk.begin;
        return format_.sum_slices(std::span(slices).first(neighbours_.size()), to);
    }

    std::int64_t bytes() const override {
        std::int64_t bytes = sums_.bytes();
        for (const Bucket& bucket : buckets_) {
            for (const Incoming& incoming : bucket.incoming)
                bytes += incoming.message.bytes();
            for (const Outgoing& outgoing : bucket.outgoing)
                bytes += outgoing.message.bytes();
        }
        return bytes;
    }

 private:
    struct Incoming {
        int from;
        ChunkedMessage message;
        std::size_t number = 0;  ///< of this step's receive
    };
    struct Outgoing {
        int to;
        ChunkedMessage message;
    };
    struct Bucket {
        std::vector<Incoming> incoming;
        std::vector<Outgoing> outgoing;
    };

    struct Neighbour {
        int rank;
        bool one_slice;  ///< its gradients are what it contributes
    };
    static std::vector<Neighbour> neighbours_of(std::int64_t slices, Team& team) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(team.size()));
        all[static_cast<std::size_t>(team.rank())] = slices;
        team.sum(all);
        std::vector<Neighbour> neighbours;
        for (const int rank : team.neighbours())
            neighbours.push_back({rank, all[static_cast<std::size_t>(rank)] == 1});
        return neighbours;
    }
    bool any_with_several() const {
        return std::ranges::any_of(neighbours_, [](const Neighbour& n) { return !n.one_slice; });
    }

    std::span<float> gradients() const { return gradients_.mine(); }

    void plan_messages() {
        if (team_.one_host()) return;
        for (std::int64_t b = 0; b < plan_.buckets(); ++b) {
            Bucket& bucket = buckets_.emplace_back();
            const BucketRoutes routes = routes_to_owners(team_, plan_, b);
            const ElementRange mine = plan_.part(b, team_.rank());
            for (const int from : routes.incoming)
                bucket.incoming.push_back({from, ChunkedMessage(plan_, mine, Format::most_packed_bytes)});
            for (const auto& [to, part] : routes.outgoing)
                bucket.outgoing.push_back({to, ChunkedMessage(plan_, part, Format::most_packed_bytes)});
        }
    }

    void clear() {
        if (one_slice_) {
            backend_.fill(gradients(), 0);
        } else {
            std::ranges::fill(sums_.mine(), Sum{});
        }
    }

    // All elements before `end` are this rank's whole contribution to the step.
    void finished(std::int64_t end) {
        if (buckets_.empty()) return;
        team_.publish(step_ * (plan_.size() + 1) + end);
        if (overlap_) send_finished_buckets();
    }

    // Those that the neighbours too have finished.
    void send_finished_buckets() {
        if (buckets_.empty()) return;
        std::int64_t finished = plan_.size();
        for (const Neighbour& neighbour : neighbours_)
            finished = std::min(finished, finished_by(neighbour.rank));
        while (next_bucket_ < plan_.buckets() && plan_.bucket(next_bucket_).end <= finished)
            send(buckets_[static_cast<std::size_t>(next_bucket_++)]);
        team_.messages().progress();
    }

    std::int64_t finished_by(int rank) const {
        return std::max<std::int64_t>(team_.published_by(rank) - step_ * (plan_.size() + 1), 0);
    }

    void send(Bucket& bucket) {
        std::atomic<bool> all_fit = true;
        const auto pack = [&](ElementRange chunk, std::byte* to) {
            alignas(64) std::array<Sum, ShardPlan::kChunk> memory;
            const std::span<Sum> sums = std::span(memory).first(static_cast<std::size_t>(chunk.size()));
            if (!add_up_neighbours(chunk, sums)) all_fit = false;
            return format_.pack(sums, to);
        };
        for (Outgoing& outgoing : bucket.outgoing)
            team_.messages().send(outgoing.message.write(plan_, backend_, pack), outgoing.to);
        fits_ = fits_ && all_fit;
    }

    bool sum_in_memory(std::int64_t bucket, ElementRange chunk, std::span<float> to) const {
        alignas(64) std::array<Sum, ShardPlan::kChunk> memory;
        const std::span<Sum> sums = std::span(memory).first(static_cast<std::size_t>(chunk.size()));
        const bool fits = add_up_neighbours(chunk, sums);
        if (!buckets_.empty()) {
            for (const Incoming& incoming : buckets_[static_cast<std::size_t>(bucket)].incoming)
                format_.add_packed(incoming.message.of(chunk), sums);
        }
        format_.finish(sums, to);
        return fits;
    }

    // sums = what the ranks of this host contribute to a chunk.
    bool add_up_neighbours(ElementRange chunk, std::span<Sum> sums) const {
        bool fits = true;
        bool first = true;
        for (const Neighbour& neighbour : neighbours_) {
            if (neighbour.one_slice) {
                const auto gradients = elements(gradients_.of(neighbour.rank), chunk);
                const bool slice_fits = format_.add_slice(gradients, first, sums);
                fits = fits && slice_fits;
            } else {
                format_.add_sums(elements(sums_.of(neighbour.rank), chunk), first, sums);
            }
            first = false;
        }
        return fits;
    }

    Format format_;
    const ShardPlan& plan_;
    Backend& backend_;
    Team& team_;
    bool overlap_;
    bool one_slice_;                     ///< of this rank a step, at the most
    std::vector<Neighbour> neighbours_;  ///< the ranks of this host, this one among them
    HostArray<float> gradients_;
    HostArray<Sum> sums_;  ///< of several slices; on a host where no rank has several, empty

    std::vector<Bucket> buckets_;  ///< none where all ranks are on one host
    std::int64_t step_ = 0;
    // Of this step:
    std::int64_t covered_ = 0;      ///< elements to which a slice was added
    bool begun_ = false;            ///< something was added
    std::int64_t next_bucket_ = 0;  ///< to be sent
    bool fits_ = true;              ///< no gradient was met that a sum cannot hold
};

}  // namespace

std::unique_ptr<GradientReducer> make_gradient_reducer(const ReducerOptions& options, const ShardPlan& plan,
                                                       SharedParameters& parameters, Backend& backend,
                                                       Team& team) {
    const auto make = [&]<class Format>(Format format) -> std::unique_ptr<GradientReducer> {
        return std::make_unique<ShardedReducer<Format>>(format, options, plan, parameters, backend, team);
    };
    switch (options.reduction) {
        case Reduction::exact:
            return make(ExactFormat(backend, options.addends));
        case Reduction::float32:
            return make(Float32Format(backend));
        case Reduction::bfloat16:
            return make(BFloat16Format(backend));
    }
    require(false, "every reduction has a format");
    return nullptr;
}

}  // namespace vae_dist
