#include "train/step/parameter_gather.hpp"

#include <algorithm>
#include <cstring>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

template <class T>
void copy_elements(std::span<const T> from, std::span<T> to, ElementRange range) {
    std::ranges::copy(elements(from, range), elements(to, range).begin());
}

std::vector<ElementRange> vectors_of(const ParameterLayout& layout) {
    std::vector<ElementRange> vectors;
    for (const Parameter& parameter : layout.parameters()) {
        if (parameter.is_float_everywhere())
            vectors.push_back({parameter.offset, parameter.offset + parameter.size()});
    }
    return vectors;
}

}  // namespace

ParameterGather::ParameterGather(const ShardPlan& plan, const ParameterLayout& layout,
                                 SharedParameters& parameters, Backend& backend, Team& team)
    : parameters_(parameters),
      store_(parameters.store),
      backend_(backend),
      team_(team),
      vectors_(vectors_of(layout)) {
    plan_transfers(plan);
}

void ParameterGather::plan_transfers(const ShardPlan& plan) {
    const auto message = [&](ElementRange part) {
        return std::vector<std::byte>(is_bfloat16() ? message_bytes(part) : 0);
    };
    const Hosts& hosts = team_.hosts();
    const int here = hosts.host_of[static_cast<std::size_t>(team_.rank())];
    for (std::int64_t b = 0; b < plan.buckets(); ++b) {
        for (int owner = 0; owner < team_.size(); ++owner) {
            const int from = hosts.together(team_.rank(), owner) ? owner : team_.correspondent(here, owner);
            const ElementRange part = plan.part(b, owner);
            if (from != team_.rank() && !part.empty()) copies_.push_back({from, part});
        }
        if (team_.one_host()) continue;
        // The ways back of the gradients' messages.
        const BucketRoutes routes = routes_to_owners(team_, plan, b);
        for (const auto& [owner, part] : routes.outgoing)
            incoming_.push_back({owner, part, message(part)});
        const ElementRange mine = plan.part(b, team_.rank());
        outgoing_.push_back({mine, routes.incoming, message(mine)});
    }
}

void ParameterGather::begin() {
    for (Incoming& incoming : incoming_) {
        const std::span<std::byte> to = is_bfloat16()
                                            ? std::span(incoming.message)
                                            : std::as_writable_bytes(elements(store_.values, incoming.part));
        incoming.number = team_.messages().receive(to, incoming.from);
    }
}

void ParameterGather::send(std::int64_t bucket) {
    if (outgoing_.empty()) return;
    Outgoing& outgoing = outgoing_[static_cast<std::size_t>(bucket)];
    if (outgoing.to.empty()) return;
    if (is_bfloat16()) pack(outgoing.part, outgoing.message.data());
    const std::span<const std::byte> bytes = is_bfloat16()
                                                 ? std::span<const std::byte>(outgoing.message)
                                                 : std::as_bytes(elements(store_.values, outgoing.part));
    for (const int to : outgoing.to)
        team_.messages().send(bytes, to);
}

void ParameterGather::finish() {
    for (const Incoming& incoming : incoming_) {
        team_.messages().wait_for(incoming.number);
        if (is_bfloat16()) unpack(incoming.message.data(), incoming.part);
    }
    team_.synchronize_neighbours();
    backend_.for_each(std::ssize(copies_),
                      [&](std::int64_t i) { copy(copies_[static_cast<std::size_t>(i)]); });
}

void ParameterGather::copy(const Copy& copy) const {
    if (!is_bfloat16()) return copy_elements(parameters_.values.of(copy.from), store_.values, copy.part);
    copy_elements(parameters_.operands.of(copy.from), store_.operands, copy.part);
    for_each_vector(copy.part, [&](ElementRange vector) {
        copy_elements(parameters_.values.of(copy.from), store_.values, vector);
    });
}

// What of the model's vectors lies in a part.
template <class Visit>
void ParameterGather::for_each_vector(ElementRange part, const Visit& visit) const {
    for (const ElementRange& vector : vectors_) {
        const ElementRange common = {std::max(vector.begin, part.begin), std::min(vector.end, part.end)};
        if (!common.empty()) visit(common);
    }
}

// A message is the part's operands, then the values of its vectors.
std::size_t ParameterGather::message_bytes(ElementRange part) const {
    std::size_t bytes = static_cast<std::size_t>(part.size()) * sizeof(BFloat16);
    for_each_vector(
        part, [&](ElementRange vector) { bytes += static_cast<std::size_t>(vector.size()) * sizeof(float); });
    return bytes;
}

void ParameterGather::pack(ElementRange part, std::byte* to) const {
    const auto put = [&](const auto& numbers) {
        std::memcpy(to, numbers.data(), numbers.size_bytes());
        to += numbers.size_bytes();
    };
    put(elements(store_.operands, part));
    for_each_vector(part, [&](ElementRange vector) { put(elements(store_.values, vector)); });
}

void ParameterGather::unpack(const std::byte* from, ElementRange part) const {
    const auto take = [&](const auto& numbers) {
        std::memcpy(numbers.data(), from, numbers.size_bytes());
        from += numbers.size_bytes();
    };
    take(elements(store_.operands, part));
    for_each_vector(part, [&](ElementRange vector) { take(elements(store_.values, vector)); });
}

std::int64_t ParameterGather::bytes() const {
    std::size_t bytes = 0;
    for (const Incoming& incoming : incoming_)
        bytes += incoming.message.size();
    for (const Outgoing& outgoing : outgoing_)
        bytes += outgoing.message.size();
    return static_cast<std::int64_t>(bytes);
}

void collect_on_first_rank(const ShardPlan& plan, std::span<float> array, Team& team) {
    for (std::int64_t b = 0; b < plan.buckets(); ++b) {
        for (int owner = 1; owner < team.size(); ++owner) {
            const std::span<std::byte> part = std::as_writable_bytes(elements(array, plan.part(b, owner)));
            if (part.empty()) continue;
            if (team.rank() == 0) team.messages().receive(part, owner);
            if (team.rank() == owner) team.messages().send(part, 0);
        }
    }
    team.complete_messages();
}

}  // namespace vae_dist
