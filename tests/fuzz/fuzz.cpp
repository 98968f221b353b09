#include "fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/temporary_folder.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist::fuzz {

namespace {

const TemporaryFolder& folder() {
    static const TemporaryFolder folder = [] {
        const bool memory = std::filesystem::is_directory("/dev/shm") && std::getenv("TMPDIR") == nullptr;
        if (memory) ::setenv("TMPDIR", "/dev/shm", 0);
        return TemporaryFolder();
    }();
    return folder;
}

}  // namespace

Bytes bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

Bytes bytes_of(std::span<const std::byte> bytes) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return {first, first + bytes.size()};
}

std::string text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

void expect_result_or_refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        expect(error.kind() != ErrorKind::bug, error.what());
        expect(*error.what() != '\0', "an error has a message");
    } catch (const std::exception& error) {
        expect(false, error.what());
    }
}

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "WRONG: %s\n", what);
    std::abort();
}

std::string file_with(const std::uint8_t* data, std::size_t size) {
    std::string path = fresh_file("input");
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    return path;
}

std::string fresh_file(const std::string& name) {
    std::string path = folder().file(name);
    std::filesystem::remove(path);
    return path;
}

}  // namespace vae_dist::fuzz

/// libFuzzer calls it first. VAE_DIST_FUZZ_SEEDS=FOLDER writes the seeds there, and does nothing else.
extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* to = std::getenv("VAE_DIST_FUZZ_SEEDS");
    if (to == nullptr) return 0;
    std::filesystem::create_directories(to);
    int number = 0;
    for (const auto& seed : vae_dist::fuzz::seeds()) {
        std::ofstream file(std::filesystem::path(to) / ("seed" + std::to_string(number++)), std::ios::binary);
        file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
    }
    std::exit(0);
}
