#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "backend/cuda/cuda.hpp"
#include "unit/backend/backend_suite.hpp"
#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/backend/devices.hpp"

namespace vae_dist {

/// A test on the first GPU, made anew for each; skipped where there is none.
class DeviceTest : public testing::Test {
 protected:
    void SetUp() override {
        if (find_devices().all.empty()) GTEST_SKIP() << "no GPU: " << find_devices().why_none;
        backend_ = make_cuda_backend(0);
    }
    Backend& backend() { return *backend_; }
    DeviceBackend& device() { return *backend_->device(); }

    template <class T>
    Buffer make(const std::vector<T>& values) {
        Buffer buffer = backend_->allocate(values.size() * sizeof(T));
        backend_->copy_in(buffer.as<T>(), values.data(), values.size() * sizeof(T));
        return buffer;
    }
    template <class T>
    std::vector<T> get(const Buffer& buffer) {
        std::vector<T> values(buffer.bytes() / sizeof(T));
        backend_->copy_out(values.data(), buffer.as<T>(), buffer.bytes());
        return values;
    }

 private:
    std::unique_ptr<Backend> backend_;
};

}  // namespace vae_dist
