#pragma once

#include <cstddef>
#include <fstream>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace vae_dist::hdf5 {

inline std::vector<float> counting(std::size_t size) {
    std::vector<float> values(size);
    std::iota(values.begin(), values.end(), 0.5F);
    return values;
}

inline void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline std::string read_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace vae_dist::hdf5
