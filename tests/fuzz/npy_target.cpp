// An array for import npy.

#include "fuzz/fuzz.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/import/import.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    const auto npy = [](std::uint8_t version, std::string header, std::size_t data_bytes) {
        header.append(63 - (header.size() + 10) % 64, ' ').append("\n");
        Bytes bytes = bytes_of("\x93NUMPY" + std::string{static_cast<char>(version), '\0'});
        bytes.push_back(static_cast<std::uint8_t>(header.size() % 256));
        bytes.push_back(static_cast<std::uint8_t>(header.size() / 256));
        if (version > 1) bytes.insert(bytes.end(), {0, 0});
        bytes.insert(bytes.end(), header.begin(), header.end());
        for (std::size_t i = 0; i < data_bytes; ++i)
            bytes.push_back(static_cast<std::uint8_t>(i * 37));
        return bytes;
    };
    return {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", 24),
            npy(2, "{'descr': '>i2', 'fortran_order': False, 'shape': (5,), }", 10),
            npy(3, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }", 8),
            npy(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (4, 1), }", 4),
            npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", 12),
            npy(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1), }", 16)};
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    const std::string array = fuzz::file_with(data, size);
    fuzz::expect_result_or_refusal([&] {
        const ImportTarget to = {
            .file = fuzz::fresh_file("array.h5"), .dataset = "x", .replace = false, .deflate = 0};
        import_npy(array, to);
    });
    return 0;
}
