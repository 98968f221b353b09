#include "vae_dist/comm/compute_choice.hpp"

#include <algorithm>

#include "comm/all_gather.hpp"
#include "vae_dist/backend/devices.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/comm/topology.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// Why no device is suitable; empty if one is.
std::string objection(const Devices& devices) {
    if (devices.all.empty()) return devices.why_none;
    const bool any = std::ranges::any_of(devices.all, &Device::has_tensor_cores);
    return any ? "" : devices.all[0].name + " is too old: it has no tensor cores for TF32 and bfloat16";
}

// The number of ranks of this host before this one.
int rank_on_host(Communicator& communicator) {
    const std::vector<std::string> hosts = all_gather_text(communicator, host_name());
    const auto mine = hosts.begin() + communicator.rank();
    return static_cast<int>(std::count(hosts.begin(), mine, *mine));
}

// Throws where this build or host lacks what was asked for by name.
void refuse_what_there_is_not(const ComputeConfig& compute, const std::string& why_no_device) {
    const bool asks_nccl = compute.communicator == CommunicatorKind::nccl;
    if (!asks_nccl && compute.backend != BackendKind::cuda) return;
    const char* const asked =
        asks_nccl ? "compute.communicator is nccl, which needs GPUs" : "compute.backend is cuda";
    if (!cuda_built_in())
        throw_input_error("{}, but this build has no CUDA; cmake --preset cuda makes one that has", asked);
    if (asks_nccl && !nccl_built_in())
        throw_input_error(
            "compute.communicator is nccl, but this build has no NCCL; install it and build again");
    if (!why_no_device.empty())
        throw_input_error("{}, but host {} has no GPU that serves: {}", asked, host_name(), why_no_device);
}

}  // namespace

ComputeChoice choose_compute(const ComputeConfig& compute, Communicator& communicator, const Log& log) {
    if (compute.backend == BackendKind::cpu) return {};
    const Devices devices = find_devices();
    const std::string why_not = objection(devices);
    run_together(communicator, [&] { refuse_what_there_is_not(compute, why_not); });
    const std::vector<std::string> objections = all_gather_text(communicator, why_not);
    const auto without =
        std::ranges::find_if_not(objections, [](const std::string& text) { return text.empty(); });
    if (without != objections.end()) {
        const bool some_have = std::ranges::count(objections, std::string()) > 0;
        if (some_have && communicator.rank() == 0) {
            log.warn("rank {} has no GPU ({}), so that all ranks compute on their processors",
                     without - objections.begin(), *without);
        }
        return {};
    }
    std::vector<int> serving;
    for (std::size_t i = 0; i < devices.all.size(); ++i)
        if (devices.all[i].has_tensor_cores) serving.push_back(static_cast<int>(i));
    const auto place = static_cast<std::size_t>(rank_on_host(communicator));
    return {.backend = BackendKind::cuda, .device = serving[place % serving.size()]};
}

std::unique_ptr<Backend> make_backend(const ComputeChoice& choice, const ComputeConfig& compute) {
    ComputeConfig chosen = compute;
    chosen.backend = choice.backend;
    return make_backend(chosen, choice.device);
}

std::vector<std::string> describe_choices(const ComputeChoice& choice, Communicator& communicator) {
    std::string mine = fmt::format("rank {} ({}): ", communicator.rank(), host_name());
    if (choice.backend == BackendKind::cuda) {
        const Devices devices = find_devices();
        const Device& device = devices.all.at(static_cast<std::size_t>(choice.device));
        mine += fmt::format("{} ({})", device.name, device.id);
    } else {
        mine += "its processor";
    }
    std::vector<std::string> all = all_gather_text(communicator, mine);
    if (communicator.rank() != 0) all.clear();
    return all;
}

}  // namespace vae_dist
