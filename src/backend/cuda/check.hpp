#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

namespace vae_dist {

/// Throws ErrorKind::failure unless `code` is success; `call` is what was called, "cudaMalloc". Says what
/// helps where that is known.
void check_cuda(cudaError_t code, const char* call);
void check_cublas(cublasStatus_t status, const char* call);

}  // namespace vae_dist
