// Images for import idx.

#include "fuzz/fuzz.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/import/import.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    const auto idx = [](std::uint8_t type, std::vector<std::uint8_t> shape, std::size_t data_bytes) {
        Bytes bytes = {0, 0, type, static_cast<std::uint8_t>(shape.size())};
        for (const std::uint8_t size : shape) {
            for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}, size})
                bytes.push_back(byte);
        }
        for (std::size_t i = 0; i < data_bytes; ++i)
            bytes.push_back(static_cast<std::uint8_t>(i * 37));
        return bytes;
    };
    return {idx(0x08, {3, 2, 2}, 12), idx(0x09, {5}, 5),  idx(0x0b, {2, 3}, 12),
            idx(0x0c, {2, 2}, 16),    idx(0x0d, {4}, 16), idx(0x0e, {1, 1, 1, 2}, 16)};
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    const std::string images = fuzz::file_with(data, size);
    fuzz::expect_result_or_refusal([&] {
        const ImportTarget to = {
            .file = fuzz::fresh_file("images.h5"), .dataset = "x", .replace = false, .deflate = 0};
        import_idx(images, std::nullopt, to);
    });
    return 0;
}
