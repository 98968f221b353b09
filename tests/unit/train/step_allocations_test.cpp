// Counts what a training step allocates: a program of its own, for it replaces operator new.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace {

// Only of the thread that counts: the loader's works on its own.
thread_local bool counting = false;
thread_local std::size_t allocations = 0;

// oneDNN's own small notes of a call are not ours to avoid.
bool is_of_products_library(void* caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
           std::string_view(info.dli_fname).find("libdnnl") != std::string_view::npos;
}

void* allocate(std::size_t bytes, std::size_t alignment, void* caller) {
    if (counting && !is_of_products_library(caller)) ++allocations;
    void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
    return allocate(bytes, alignof(std::max_align_t), __builtin_return_address(0));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace vae_dist {
namespace {

std::size_t allocations_of_a_warm_step(const Config& config) {
    SelfCommunicator alone;
    const TrainingData data(config, alone);
    const StartedReplica started = start_replica(config, data, std::nullopt, alone, Log(0));
    const auto step = make_training_step(config, 100, *started.replica, alone);
    const auto loader = data.start_loader(0, 0);
    // Two epochs, so that everything was seen once: the last batch of an epoch is smaller.
    const std::int64_t warm = 2 * data.steps_per_epoch();
    std::size_t most = 0;
    for (std::int64_t i = 0; i < 2 * warm; ++i) {
        allocations = 0;
        counting = i >= warm;
        step->run(*loader, i, i);
        counting = false;
        most = std::max(most, allocations);
    }
    return most;
}

TEST(StepAllocations, AreCounted) {
    allocations = 0;
    counting = true;
    const std::vector<int> memory(100);
    counting = false;
    EXPECT_EQ(allocations, 1U);
}

TEST(StepAllocations, AWarmStepHasNone) {
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
        for (const std::int64_t virtual_ranks : {1, 3}) {
            for (const Activation activation : {Activation::relu, Activation::gelu}) {
                for (const double clip_norm : {0.0, 1.0}) {
                    Config config = small_config();
                    config.data.synthetic->samples = 45;
                    config.train.precision = precision;
                    config.train.virtual_ranks = virtual_ranks;
                    config.model.activation = activation;
                    config.optimizer.clip_norm = clip_norm;
                    EXPECT_EQ(allocations_of_a_warm_step(config), 0U)
                        << "precision " << static_cast<int>(precision) << ", " << virtual_ranks
                        << " virtual ranks, activation " << static_cast<int>(activation) << ", clip_norm "
                        << clip_norm;
                }
            }
        }
    }
}

TEST(StepAllocations, NeitherWithImportanceWeightsNorWithAGaussianLikelihood) {
    for (const std::int64_t draws : {1, 5}) {
        Config config = small_config();
        config.objective.importance_samples = draws;
        config.model.likelihood.kind = LikelihoodKind::gaussian;
        EXPECT_EQ(allocations_of_a_warm_step(config), 0U) << draws << " draws";
    }
}

TEST(StepAllocations, NorWithAMixtureAsPrior) {
    Config config = small_config();
    config.model.prior = {PriorKind::mixture, 20};
    EXPECT_EQ(allocations_of_a_warm_step(config), 0U);
}

}  // namespace
}  // namespace vae_dist
