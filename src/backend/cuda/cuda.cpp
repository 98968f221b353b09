#include "backend/cuda/cuda.hpp"

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "backend/cuda/cuda_backend.hpp"
#include "vae_dist/backend/devices.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// The oldest devices whose tensor cores know TF32 and bfloat16: Ampere.
constexpr int kLeastCapability = 8;

std::string version_of(int number) {
    return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

std::string cublas_version() {
    const std::size_t number = cublasLtGetVersion();
    return fmt::format("cuBLASLt {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

// As nvidia-smi -L prints it.
std::string id_of(const cudaUUID_t& uuid) {
    std::string id = "GPU-";
    for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
        id += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
    }
    return id;
}

}  // namespace

bool cuda_built_in() {
    return true;
}

std::string cuda_version() {
    int runtime = 0;
    int driver = 0;
    if (cudaRuntimeGetVersion(&runtime) != cudaSuccess || cudaDriverGetVersion(&driver) != cudaSuccess)
        return "CUDA, which cannot tell its version";
    return fmt::format("CUDA {}, {}, {}", version_of(runtime), cublas_version(),
                       driver == 0 ? "no driver" : "driver for CUDA " + version_of(driver));
}

Devices find_devices() {
    Devices found;
    int count = 0;
    const auto fails = [&](cudaError_t code) {
        if (code == cudaSuccess) return false;
        static_cast<void>(cudaGetLastError());
        found.all.clear();
        found.why_none = fmt::format("{} ({})", cudaGetErrorString(code), cudaGetErrorName(code));
        return true;
    };
    if (fails(cudaGetDeviceCount(&count))) return found;
    for (int device = 0; device < count; ++device) {
        cudaDeviceProp properties = {};
        if (fails(cudaGetDeviceProperties(&properties, device))) return found;
        found.all.push_back({.name = properties.name,
                             .id = id_of(properties.uuid),
                             .capability = fmt::format("{}.{}", properties.major, properties.minor),
                             .bytes = properties.totalGlobalMem,
                             .has_tensor_cores = properties.major >= kLeastCapability});
    }
    if (found.all.empty()) found.why_none = "no device is visible";
    return found;
}

std::unique_ptr<Backend> make_cuda_backend(int device) {
    const Devices devices = find_devices();
    if (devices.all.empty())
        throw_input_error("compute.backend is cuda, but there is no GPU: {}", devices.why_none);
    require(device >= 0 && device < std::ssize(devices.all), "a device that there is was chosen");
    const Device& chosen = devices.all[static_cast<std::size_t>(device)];
    if (!chosen.has_tensor_cores) {
        throw_input_error(
            "compute.backend is cuda, but {} has compute capability {}; TF32 and bfloat16 need {}.0",
            chosen.name, chosen.capability, kLeastCapability);
    }
    return std::make_unique<CudaBackend>(
        device, chosen.id,
        fmt::format("{} (compute capability {}), {}", chosen.name, chosen.capability, cublas_version()));
}

}  // namespace vae_dist
