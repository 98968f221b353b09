#include "backend/cuda/check.hpp"

#include <string>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

std::string advice(cudaError_t code) {
    switch (code) {
        case cudaErrorMemoryAllocation:
            return "; use more ranks, a smaller train.batch_size or a smaller model";
        case cudaErrorInsufficientDriver:
            return "; nvidia-smi prints the driver's version, vae_dist --version that of CUDA";
        case cudaErrorNoDevice:
        case cudaErrorInvalidDevice:
            return "; nvidia-smi prints the devices, CUDA_VISIBLE_DEVICES those that a process may use";
        case cudaErrorLaunchFailure:
            return "; CUDA_LAUNCH_BLOCKING=1 and compute-sanitizer tell where";
        default:
            return "";
    }
}

}  // namespace

void check_cuda(cudaError_t code, const char* call) {
    if (code == cudaSuccess) return;
    throw_failure("{} failed: {} ({}){}", call, cudaGetErrorString(code), cudaGetErrorName(code),
                  advice(code));
}

void check_cublas(cublasStatus_t status, const char* call) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw_failure("{} failed: {} ({}); CUBLASLT_LOG_LEVEL=5 makes cuBLASLt print its calls", call,
                  cublasLtGetStatusString(status), cublasLtGetStatusName(status));
}

}  // namespace vae_dist
