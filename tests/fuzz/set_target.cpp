// An argument of --set.

#include "fuzz/fuzz.hpp"
#include "vae_dist/config/load.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> seeds;
    for (const char* text :
         {"model.encoder.hidden=[200, 200]", "train.seed=3", "data.train={files: [x.h5], dataset: y}",
          "optimizer.learning_rate=1e-4", "data.synthetic=null", "data.synthetic.seed=~",
          "output.directory=a b", "train.time_limit=3h50m", "objective.beta=%v", "train.seed=&b",
          "train.seed=*b", "train.seed=!!int 3", "output.directory=\"\\u0041\\n\"", "model={latent_dim: 3}"})
        seeds.push_back(bytes_of(std::string(text)));
    return seeds;
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    static const std::string base =
        "data: {synthetic: {samples: 40, shape: [6]}}\n"
        "model: {latent_dim: 2, encoder: {hidden: [5]}, decoder: {hidden: [4]}, likelihood: gaussian}\n"
        "train: {batch_size: 8, epochs: 2, seed: 9}\n";
    fuzz::expect_result_or_refusal([&] {
        const Config config = parse_config(base, "fuzz.yaml", {fuzz::text_of(data, size)}, false);
        const Config again = parse_config(to_yaml(config), "again.yaml", {}, false);
        fuzz::expect(differences(config, again).empty(), "a configuration's text gives an equal one");
    });
    return 0;
}
