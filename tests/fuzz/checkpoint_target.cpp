// A checkpoint.

#include "fuzz/fuzz.hpp"
#include "unit/train/small_checkpoint.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    return {bytes_of(checkpoint_bytes(small_checkpoint()))};
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
    fuzz::expect_result_or_refusal([&] {
        const Checkpoint checkpoint = parse_checkpoint(bytes, "fuzz.h5");
        // What was understood can be written, and is the same again.
        const std::vector<std::byte> once = checkpoint_bytes(checkpoint);
        fuzz::expect(checkpoint_bytes(parse_checkpoint(once, "again.h5")) == once,
                     "a checkpoint's file gives an equal one");
    });
    return 0;
}
