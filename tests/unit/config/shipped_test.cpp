// The files in configs/.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "vae_dist/config/key_help.hpp"
#include "vae_dist/config/load.hpp"

namespace vae_dist {
namespace {

const std::filesystem::path kFolder = VAE_DIST_CONFIGS;

// The headings, and the tables of keys, whose lines are those that the program prints.
std::vector<std::string> table_lines(std::istream& markdown) {
    std::vector<std::string> lines;
    bool in_table = false;
    for (std::string line; std::getline(markdown, line);) {
        in_table = line.starts_with("| key |") || (in_table && line.starts_with('|'));
        if (in_table || line.starts_with("## ")) lines.push_back(line);
    }
    return lines;
}

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

TEST(ShippedConfigs, TheReadmeHasTheTablesThatTheProgramPrints) {
    std::ifstream file(kFolder / "README.md");
    std::istringstream printed(markdown_tables(all_key_help()));
    const std::vector<std::string> expected = table_lines(printed);
    std::vector<std::string> shipped = table_lines(file);
    std::erase_if(shipped, [&](const std::string& line) {  // sections without keys
        return line.starts_with("## ") && std::ranges::find(expected, line) == expected.end();
    });
    for (std::size_t i = 0; i < std::max(expected.size(), shipped.size()); ++i) {
        ASSERT_EQ(i < shipped.size() ? shipped[i] : "(nothing)",
                  i < expected.size() ? expected[i] : "(nothing)")
            << "configs/README.md, and then what vae_dist keys --markdown prints";
    }
}

}  // namespace
}  // namespace vae_dist
