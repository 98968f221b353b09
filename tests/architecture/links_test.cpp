// Follows every relative link of the Markdown files, and its #section, to where it leads.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kProject = PROJECT_FOLDER;

std::vector<fs::path> markdown_files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(kProject)) {
        if (entry.path().extension() == ".md") files.push_back(entry.path());
    }
    for (const char* folder : {"configs", "include", "launch", "src", "tests", "cmake"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kProject / folder)) {
            if (entry.path().extension() == ".md") files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

/// The lines outside of blocks of code.
std::vector<std::string> lines_of_text(const fs::path& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    bool in_code = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("```")) {
            in_code = !in_code;
        } else if (!in_code) {
            lines.push_back(line);
        }
    }
    return lines;
}

/// The name that a heading has in links: "On GPUs: a prediction" is "on-gpus-a-prediction".
std::string anchor_of(const std::string& heading) {
    std::string anchor;
    for (const unsigned char c : heading) {
        if (c == ' ') {
            anchor += '-';
        } else if (std::isalnum(c) || c == '-' || c == '_' || c >= 0x80) {
            anchor += static_cast<char>(std::tolower(c));
        }
    }
    return anchor;
}

std::set<std::string> anchors_in(const fs::path& path) {
    std::set<std::string> anchors;
    for (const std::string& line : lines_of_text(path)) {
        const std::size_t text = line.find_first_not_of('#');
        if (text == 0 || text == std::string::npos || line[text] != ' ') continue;
        anchors.insert(anchor_of(line.substr(text + 1)));
    }
    return anchors;
}

/// What is wrong with a link in a file; "" if nothing is.
std::string fault_of(const fs::path& file, const std::string& link) {
    if (link.find("://") != std::string::npos || link.starts_with("mailto:")) return "";
    const std::size_t hash = link.find('#');
    const std::string path = link.substr(0, hash);
    const fs::path target = path.empty() ? file : file.parent_path() / path;
    if (!fs::exists(target)) return "there is no such file";
    if (hash == std::string::npos) return "";
    return anchors_in(target).contains(link.substr(hash + 1)) ? "" : "there is no such section";
}

TEST(Links, LeadToFilesAndSectionsThatThereAre) {
    static const std::regex pattern(R"(\]\(([^)\s]+)\))");
    int links = 0;
    for (const fs::path& file : markdown_files()) {
        for (const std::string& line : lines_of_text(file)) {
            for (std::sregex_iterator match(line.begin(), line.end(), pattern), end; match != end; ++match) {
                ++links;
                EXPECT_EQ(fault_of(file, (*match)[1]), "") << file << ": " << (*match)[1];
            }
        }
    }
    EXPECT_GE(links, 15);
}

TEST(Links, ThatLeadNowhereAreFound) {
    const fs::path readme = kProject / "configs/README.md";
    EXPECT_EQ(fault_of(readme, "fashion.yaml"), "");
    EXPECT_EQ(fault_of(readme, "#gpus"), "");
    EXPECT_EQ(fault_of(readme, "../README.md#your-own-data"), "");
    EXPECT_EQ(fault_of(readme, "nowhere.yaml"), "there is no such file");
    EXPECT_EQ(fault_of(readme, "#not-supported-yet"), "there is no such section");
}

}  // namespace
