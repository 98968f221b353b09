#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "device_memory.hpp"
#include "environment.hpp"
#include "stand_in.hpp"
#include "streams.hpp"

namespace cuda_stand_in {

namespace {

cudaError_t last_error = cudaSuccess;

struct Words {
    cudaError_t error;
    const char* name;
    const char* text;
};
constexpr Words kWords[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "the driver is too old"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "not permitted while a stream captures"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "a captured stream was not joined"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "a dependency crosses the border of a capture"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent", "the event was captured"}};

const Words& words_of(cudaError_t error) {
    static constexpr Words kUnknown = {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};
    for (const Words& words : kWords)
        if (words.error == error) return words;
    return kUnknown;
}

void count_copy(std::size_t bytes) {
    ++done().copies;
    done().copied_bytes += static_cast<std::int64_t>(bytes);
}

// Whether the places are what `kind` says.
bool fit(const void* to, std::size_t to_bytes, const void* from, std::size_t from_bytes,
         cudaMemcpyKind kind) {
    const bool to_ok = kind == cudaMemcpyDeviceToHost ? is_pinned(to, to_bytes) : on_device(to, to_bytes);
    const bool from_ok =
        kind == cudaMemcpyHostToDevice ? is_pinned(from, from_bytes) : on_device(from, from_bytes);
    return to_ok && from_ok;
}

}  // namespace

Live& live() {
    static Live the;
    return the;
}

Done& done() {
    static Done the;
    return the;
}

cudaError_t result(cudaError_t error) {
    if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
    return error;
}

}  // namespace cuda_stand_in

using namespace cuda_stand_in;

const char* cudaGetErrorName(cudaError_t error) {
    return words_of(error).name;
}

const char* cudaGetErrorString(cudaError_t error) {
    return words_of(error).text;
}

cudaError_t cudaGetLastError() {
    return std::exchange(last_error, cudaSuccess);
}

// --- Devices

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    if (is_to_fail("cudaGetDeviceCount")) return result(cudaErrorInsufficientDriver);
    *count = static_cast<int>(visible_devices().size());
    return *count == 0 ? result(cudaErrorNoDevice) : cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    if (device < 0 || device >= std::ssize(visible_devices())) return result(cudaErrorInvalidDevice);
    *properties = {};
    std::strcpy(properties->name, "stand-in for a GPU");
    // Another one on each host.
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>()(host));
    std::memcpy(properties->uuid.bytes, &hash, sizeof hash);
    properties->uuid.bytes[15] = static_cast<char>(visible_devices()[static_cast<std::size_t>(device)] + 1);
    properties->totalGlobalMem = device_memory();
    properties->major = 9;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    if (is_to_fail("cudaSetDevice")) return result(cudaErrorUnknown);
    return device >= 0 && device < std::ssize(visible_devices()) ? cudaSuccess
                                                                 : result(cudaErrorInvalidDevice);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

// --- Memory

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    *memory = is_to_fail("cudaMalloc") ? nullptr : allocate_on_device(bytes);
    return *memory == nullptr ? result(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    if (memory == nullptr) return cudaSuccess;
    finish_all();
    return free_on_device(memory) ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
    *memory = is_to_fail("cudaMallocHost") ? nullptr : allocate_pinned(bytes);
    return *memory == nullptr ? result(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
    if (memory == nullptr) return cudaSuccess;
    finish_all();
    return free_pinned(memory) ? cudaSuccess : result(cudaErrorInvalidValue);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (is_to_fail("cudaMemcpyAsync")) return result(cudaErrorUnknown);
    if (bytes == 0) return cudaSuccess;
    if (!fit(to, bytes, from, bytes, kind)) return result(cudaErrorInvalidValue);
    return result(enqueue(stream, {.work = [=] {
                              count_copy(bytes);
                              std::memcpy(to, from, bytes);
                          }}));
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
    if (is_to_fail("cudaMemcpy2DAsync")) return result(cudaErrorUnknown);
    if (width == 0 || height == 0) return cudaSuccess;
    const auto extent = [&](std::size_t pitch) { return (height - 1) * pitch + width; };
    if (width > to_pitch || width > from_pitch || !fit(to, extent(to_pitch), from, extent(from_pitch), kind))
        return result(cudaErrorInvalidValue);
    return result(enqueue(stream, {.work = [=] {
                              count_copy(width * height);
                              for (std::size_t row = 0; row < height; ++row) {
                                  std::memcpy(static_cast<std::byte*>(to) + row * to_pitch,
                                              static_cast<const std::byte*>(from) + row * from_pitch, width);
                              }
                          }}));
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    if (is_to_fail("cudaMemsetAsync")) return result(cudaErrorUnknown);
    if (bytes == 0) return cudaSuccess;
    if (!on_device(to, bytes)) return result(cudaErrorInvalidValue);
    return result(enqueue(stream, {.work = [=] { std::memset(to, value, bytes); }}));
}
