// What a step of training asks of a GPU, counted on the stand-in, and the least time in which an H100 could
// do it: a prediction, for nothing here has run on one.
//
// usage: VAE_DIST_STAND_IN_DEVICES=1 gpu_step CONFIG.yaml [--set a.b=value]...

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda_stand_in/stand_in.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {
namespace {

// NVIDIA's data sheet of the H100 SXM, without sparsity: bytes/s, and flops/s in bfloat16 and TF32.
constexpr double kBandwidth = 3.35e12;
constexpr double kBfloat16 = 989e12;
constexpr double kTf32 = 495e12;

/// Bytes that kernels read and write, each array once a kernel: as the kernels in src/backend/cuda have it,
/// for a Bernoulli likelihood, relu, adam, one draw, exact sums and one pass a step on one rank.
double kernel_bytes(const Config& config, double features, double raw_bytes, double parameters, bool half) {
    const auto rows = static_cast<double>(config.train.batch_size);
    const double operand = half ? 2 : 4;
    double elements = 0;  // of a row
    const auto hidden = [&](const std::vector<std::int64_t>& widths) {
        for (const std::int64_t width : widths) {
            elements += static_cast<double>(width) * (4 + operand);            // activate: sums, y
            elements += static_cast<double>(width) * (4 + operand + operand);  // derivative: dvalue, y, dy
        }
    };
    hidden(config.model.encoder.hidden);
    hidden(config.model.decoder.hidden);
    const auto latents = static_cast<double>(config.model.latent_dim);
    elements += latents * (4 * 4 + 2 * 4 + 6 * 4);                                 // sample, KL, backward
    elements += 2 * latents * operand;                                             // column sums of the heads
    if (half) elements += latents * 3 * (4 + operand) + features * (4 + operand);  // roundings to bfloat16
    elements += features * (raw_bytes + 4);                                        // load
    elements += features * (4 + 4 + operand);  // likelihood: logits, x, gradient
    elements += features * operand;            // column sums of the output
    // add_exact, from_exact, squares, adam; rounded operands.
    const double updates = parameters * ((4 + 8) + (8 + 4) + 4 + (16 + 12) + (half ? 6 : 0));
    return rows * elements + updates;
}

void report(const Config& config) {
    SelfCommunicator self;
    const TrainingData data(config, self);
    const StartedReplica started = start_replica(config, data, std::nullopt, self, Log(0));
    const auto step = make_training_step(config, 100, *started.replica, self);
    const auto loader = data.start_loader(0, 0);
    cuda_stand_in::Done before;
    constexpr int kSteps = 4;
    for (int i = 0; i < kSteps; ++i) {
        before = cuda_stand_in::done();
        step->run(*loader, i, i);
    }
    const cuda_stand_in::Done& after = cuda_stand_in::done();
    const bool half = config.train.precision == Precision::bfloat16;
    const auto per_step = [&](std::int64_t cuda_stand_in::Done::*count) {
        return static_cast<double>(after.*count - before.*count);
    };
    const double flops = per_step(&cuda_stand_in::Done::product_flops);
    const double products = per_step(&cuda_stand_in::Done::product_bytes);
    const double copies = 2 * per_step(&cuda_stand_in::Done::copied_bytes);
    const double kernels =
        kernel_bytes(config, static_cast<double>(data.source().features()),
                     static_cast<double>(element_bytes(data.source().element_type())),
                     static_cast<double>(started.replica->vae.layout().parameter_count()), half);
    const double memory_us = (products + copies + kernels) / kBandwidth * 1e6;
    const double flops_us = flops / (half ? kBfloat16 : kTf32) * 1e6;
    std::printf(
        "{\"precision\":\"%s\",\"batch\":%lld,\"graph_launches\":%.0f,\"kernels\":%.0f,\"products\":%.0f,"
        "\"copies\":%.0f,\"gflop\":%.2f,\"product_mb\":%.1f,\"kernel_mb\":%.1f,\"copy_mb\":%.2f,"
        "\"flops_us\":%.1f,\"memory_us\":%.1f}\n",
        half ? "bfloat16" : "float32", static_cast<long long>(config.train.batch_size),
        per_step(&cuda_stand_in::Done::graph_launches), per_step(&cuda_stand_in::Done::kernels),
        per_step(&cuda_stand_in::Done::products), per_step(&cuda_stand_in::Done::copies), flops / 1e9,
        products / 1e6, kernels / 1e6, copies / 1e6, flops_us, memory_us);
}

}  // namespace
}  // namespace vae_dist

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    std::vector<std::string> overrides = {"compute.backend=cuda"};
    for (int i = 3; i < argc; i += 2)
        overrides.emplace_back(argv[i]);
    vae_dist::Config config = vae_dist::load_config(argv[1], overrides);
    if (!config.train.virtual_ranks) config.train.virtual_ranks = 1;
    vae_dist::report(config);
    return 0;
}
