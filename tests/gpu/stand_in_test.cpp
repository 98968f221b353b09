// The stand-in for CUDA itself: it has to be as unforgiving as a device, or tests on it prove nothing.

#include "cuda_stand_in/stand_in.hpp"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "cuda_stand_in/device_memory.hpp"

namespace vae_dist {
namespace {

class StandIn : public testing::Test {
 protected:
    StandIn() : a_(stream()), b_(stream()) {
        cudaMalloc(reinterpret_cast<void**>(&first_), 4 * sizeof(float));
        cudaMalloc(reinterpret_cast<void**>(&second_), 4 * sizeof(float));
        cudaMallocHost(reinterpret_cast<void**>(&host_), 4 * sizeof(float));
        cudaEventCreateWithFlags(&event_, cudaEventDisableTiming);
    }
    ~StandIn() override {
        cudaEventDestroy(event_);
        cudaFree(first_);
        cudaFree(second_);
        cudaFreeHost(host_);
        cudaStreamDestroy(a_);
        cudaStreamDestroy(b_);
    }

    static cudaStream_t stream() {
        cudaStream_t made = nullptr;
        cudaStreamCreateWithPriority(&made, cudaStreamNonBlocking, 0);
        return made;
    }
    static cudaError_t copy(void* to, const void* from, cudaMemcpyKind kind, cudaStream_t stream) {
        return cudaMemcpyAsync(to, from, 4 * sizeof(float), kind, stream);
    }
    std::vector<float> values_of(float* device) {
        EXPECT_EQ(copy(host_, device, cudaMemcpyDeviceToHost, a_), cudaSuccess);
        EXPECT_EQ(cudaStreamSynchronize(a_), cudaSuccess);
        return {host_, host_ + 4};
    }

    cudaStream_t a_, b_;
    float* first_ = nullptr;
    float* second_ = nullptr;
    float* host_ = nullptr;
    cudaEvent_t event_ = nullptr;
};

TEST_F(StandIn, TheHostCannotTouchDeviceMemory) {
    EXPECT_DEATH(*first_ = 1, "");
    EXPECT_DEATH(std::printf("%g", static_cast<double>(*first_)), "");
    *host_ = 1;
}

TEST_F(StandIn, FreshMemoryIsNotANumber) {
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(std::isnan(host_[i]));
    for (const float value : values_of(first_))
        EXPECT_TRUE(std::isnan(value));
}

#if !defined(VAE_DIST_ADDRESS_SANITIZER)  // which finds it at once
TEST_F(StandIn, WritesBesideAnArrayAreFound) {
    const auto spoil = [&](std::ptrdiff_t at) {
        float* array = nullptr;
        cudaMalloc(reinterpret_cast<void**>(&array), 5 * sizeof(float));
        {
            const cuda_stand_in::DeviceAccess access;
            array[at] = 1;
        }
        cudaFree(array);
    };
    EXPECT_DEATH(spoil(5), "beyond an array");
    EXPECT_DEATH(spoil(-1), "beyond an array");
    spoil(4);
}
#endif

TEST_F(StandIn, CopiesHaveToSayWhereMemoryLies) {
    float pageable[4] = {};
    EXPECT_EQ(copy(first_, pageable, cudaMemcpyHostToDevice, a_), cudaErrorInvalidValue);
    EXPECT_EQ(copy(pageable, first_, cudaMemcpyDeviceToHost, a_), cudaErrorInvalidValue);
    EXPECT_EQ(copy(first_, host_, cudaMemcpyDeviceToDevice, a_), cudaErrorInvalidValue);
    EXPECT_EQ(copy(first_ + 1, second_, cudaMemcpyDeviceToDevice, a_), cudaErrorInvalidValue)
        << "beyond its end";
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

// What another stream copied was asked for before it is read here, but nothing says that it comes first.
TEST_F(StandIn, StreamsAreOrderedByEventsAlone) {
    std::fill(host_, host_ + 4, 7.0F);
    ASSERT_EQ(copy(first_, host_, cudaMemcpyHostToDevice, a_), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event_, a_), cudaSuccess);
    ASSERT_EQ(copy(second_, first_, cudaMemcpyDeviceToDevice, b_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(b_), cudaSuccess);
    EXPECT_TRUE(std::isnan(values_of(second_)[0])) << "b did not wait for a";
    std::fill(host_, host_ + 4, 8.0F);
    ASSERT_EQ(copy(first_, host_, cudaMemcpyHostToDevice, a_), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event_, a_), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(b_, event_, 0), cudaSuccess);
    ASSERT_EQ(copy(second_, first_, cudaMemcpyDeviceToDevice, b_), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(b_), cudaSuccess);
    EXPECT_EQ(values_of(second_)[0], 8);
}

TEST_F(StandIn, WhatIsQueuedReadsMemoryLate) {
    std::fill(host_, host_ + 4, 1.0F);
    ASSERT_EQ(copy(first_, host_, cudaMemcpyHostToDevice, a_), cudaSuccess);
    std::fill(host_, host_ + 4, 2.0F);
    EXPECT_EQ(values_of(first_)[0], 2) << "pinned memory was changed before it was copied";
}

TEST_F(StandIn, ACaptureEndsOnlyWhereAllItsStreamsHaveJoined) {
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamBeginCapture(a_, cudaStreamCaptureModeRelaxed), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event_, a_), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(b_, event_, 0), cudaSuccess);
    ASSERT_EQ(copy(second_, first_, cudaMemcpyDeviceToDevice, b_), cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(a_, &graph), cudaErrorStreamCaptureUnjoined);
    EXPECT_EQ(graph, nullptr);
    // An event of a capture that has ended says nothing.
    EXPECT_EQ(cudaStreamWaitEvent(b_, event_, 0), cudaErrorCapturedEvent);
}

TEST_F(StandIn, NothingOutsideOfACaptureOrdersWhatIsInIt) {
    ASSERT_EQ(cudaEventRecord(event_, b_), cudaSuccess);
    ASSERT_EQ(cudaStreamBeginCapture(a_, cudaStreamCaptureModeRelaxed), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(a_, event_, 0), cudaErrorStreamCaptureIsolation);
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamEndCapture(a_, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
}

}  // namespace
}  // namespace vae_dist
