// The files in configs/.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "vae_dist/config/load.hpp"

namespace vae_dist {
namespace {

const std::filesystem::path kFolder = VAE_DIST_CONFIGS;

TEST(ShippedConfigs, EachOneLoads) {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        if (entry.path().extension() != ".yaml") continue;
        ++found;
        EXPECT_NO_THROW({
            const Config config = load_config(entry.path(), {});
            EXPECT_FALSE(config.output.directory.empty()) << entry.path();
        }) << entry.path();
    }
    EXPECT_GE(found, 4);
}

TEST(ShippedConfigs, TheReadmeHasARowForEveryKeyInOrder) {
    std::ifstream file(kFolder / "README.md");
    std::stringstream text;
    text << file.rdbuf();
    std::size_t after = 0;
    for (const std::string& key : config_keys()) {
        const std::size_t row = text.str().find("\n| `" + key + "` |", after);
        ASSERT_NE(row, std::string::npos) << key << " has no row, or not in the order of config_keys()";
        after = row;
    }
}

}  // namespace
}  // namespace vae_dist
