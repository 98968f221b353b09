// The YAML text of a configuration.

#include "fuzz/fuzz.hpp"
#include "fuzz/shipped.hpp"
#include "vae_dist/config/load.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    return shipped_configurations();
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    fuzz::expect_result_or_refusal([&] {
        const Config config = parse_config(fuzz::text_of(data, size), "fuzz.yaml", {}, false);
        // What was understood is written in a way that means the same.
        const Config again = parse_config(to_yaml(config), "again.yaml", {}, false);
        fuzz::expect(differences(config, again).empty(), "a configuration's text gives an equal one");
    });
    return 0;
}
