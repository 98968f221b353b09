// Calls of CUDA's and cuBLASLt's that fail, each in turn: an error that names the call, and nothing left
// behind.

#include "cuda_stand_in/environment.hpp"
#include "cuda_stand_in/stand_in.hpp"
#include "gpu/device_test.hpp"
#include "support/expect_error.hpp"
#include "unit/train/small_checkpoint.hpp"
#include "vae_dist/comm/self_communicator.hpp"
#include "vae_dist/train/run/start.hpp"
#include "vae_dist/train/step/training_step.hpp"

namespace vae_dist {
namespace {

using cuda_stand_in::live;
using cuda_stand_in::Live;

Config device_config() {
    Config config = small_config();
    config.compute.backend = BackendKind::cuda;
    return config;
}

void train(const Config& config, int steps) {
    SelfCommunicator self;
    const TrainingData data(config, self);
    const StartedReplica started = start_replica(config, data, std::nullopt, self, Log(0));
    const auto step = make_training_step(config, 10, *started.replica, self);
    const auto loader = data.start_loader(0, 0);
    std::int64_t begun = 0;
    for (std::int64_t done = 0; done < steps; ++done) {
        for (; begun < steps && begun - done < step->depth(); ++begun)
            step->start(*loader, begun, begun);
        EXPECT_TRUE(step->finish().applied);
    }
    step->collect_state();
}

class DeviceFaults : public testing::Test {
 protected:
    void SetUp() override { cuda_stand_in::fail_no_call(); }
    void TearDown() override { cuda_stand_in::fail_no_call(); }
};

TEST_F(DeviceFaults, ATrainingLeavesNothingBehind) {
    const Live before = live();
    train(device_config(), 5);
    EXPECT_TRUE(live() == before);
}

// Of a step's own calls there are no more than these; the rest goes in one launch.
TEST_F(DeviceFaults, StepsAreGraphsFromTheSecondOfTheirShapeOn) {
    const auto before = cuda_stand_in::done().graph_launches;
    train(device_config(), 8);
    EXPECT_GE(cuda_stand_in::done().graph_launches - before, 6);
}

TEST_F(DeviceFaults, EachFailingCallIsNamedAndNothingIsLeftBehind) {
    const Live before = live();
    for (const char* const call :
         {"cudaSetDevice", "cudaMalloc", "cudaMallocHost", "cudaMemcpyAsync", "cudaMemsetAsync",
          "cudaStreamCreateWithPriority", "cudaEventCreateWithFlags", "cudaEventRecord",
          "cudaStreamWaitEvent", "cudaEventQuery", "cudaStreamBeginCapture", "cudaGraphInstantiate",
          "cudaGraphLaunch", "cudaGraphExecKernelNodeSetParams", "cudaLaunchKernelEx", "cublasLtCreate",
          "cublasLtMatmul", "cublasLtMatmulAlgoGetHeuristic", "cudaStreamEndCapture"}) {
        SCOPED_TRACE(call);
        int failures = 0;
        for (const long number : {1, 2, 7}) {
            cuda_stand_in::fail_call(call, number);
            try {
                train(device_config(), 6);
                EXPECT_FALSE(cuda_stand_in::failed_call())
                    << "the failure of call " << number << " was swallowed";
            } catch (const Error& error) {
                ++failures;
                EXPECT_EQ(error.kind(), ErrorKind::failure) << error.what();
                const std::string what = error.what();
                const bool named = what.find(call) != std::string::npos ||
                                   what.find("GPU is out of memory") != std::string::npos ||
                                   what.find("a kernel's launch") != std::string::npos ||
                                   what.find("work of the device") != std::string::npos;
                EXPECT_TRUE(named) << what;
            }
            cuda_stand_in::fail_no_call();
            EXPECT_TRUE(live() == before) << "after call " << number;
        }
        EXPECT_GT(failures, 0);
    }
    train(device_config(), 3);
}

TEST_F(DeviceFaults, ADeviceThatCannotBeAskedIsNoDevice) {
    cuda_stand_in::fail_call("cudaGetDeviceCount", 1);
    const Devices devices = find_devices();
    EXPECT_TRUE(devices.all.empty());
    EXPECT_NE(devices.why_none.find("driver is too old"), std::string::npos) << devices.why_none;
    cuda_stand_in::fail_call("cudaGetDeviceCount", 1);
    expect_error(ErrorKind::input, {"compute.backend is cuda", "driver is too old"},
                 [] { make_cuda_backend(0); });
}

TEST_F(DeviceFaults, MemoryThatIsOutIsSaidWithWhatToDo) {
    const auto backend = make_cuda_backend(0);
    expect_error(ErrorKind::failure, {"out of memory", "1.0 TiB", "train.batch_size"},
                 [&] { static_cast<void>(backend->allocate(std::size_t{1} << 40)); });
    const Tensor values(*backend, 1, 3, {1, 2, 3});
    EXPECT_EQ(sum_of(*backend, values.span()), 6) << "it can be gone on with";
}

}  // namespace
}  // namespace vae_dist
