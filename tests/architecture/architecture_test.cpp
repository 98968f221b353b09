// Reads every #include of include/ and src/ and holds it against the order of the layers; and looks for types
// of one name.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "architecture/definitions.hpp"

namespace {

using vae_dist::test::types_defined_in;
using vae_dist::test::TypeScope;

namespace fs = std::filesystem;

/// Each layer may use itself and those before it.
constexpr std::array<std::string_view, 12> kLayers = {"core",    "pointwise", "config", "ops",
                                                      "backend", "graph",     "comm",   "data",
                                                      "model",   "train",     "infer",  "app"};

/// The same within layers that have folders: a folder may use itself, those before it in its list, and files
/// that lie in no folder.
struct Folders {
    std::string_view layer;
    std::array<std::string_view, 4> folders;
};
constexpr Folders kFolders[] = {{"data", {"hdf5", "rows", "loader", ""}},
                                {"data", {"hdf5", "rows", "inspect", ""}},
                                {"data", {"hdf5", "rows", "import", ""}},
                                {"train", {"optimizer", "step", "record", "run"}}};

/// A library that only some files may know. All are prefixes: of what is included, and of paths below
/// include/vae_dist/ or src/.
struct Confined {
    std::string_view header;
    std::string_view files;
    std::string_view other_files = files;

    bool is_for(std::string_view place) const {
        return place.starts_with(files) || place.starts_with(other_files);
    }
};
constexpr Confined kConfined[] = {
    {"yaml-cpp/", "config/yaml"},
    {"hdf5", "data/hdf5"},
    {"H5", "data/hdf5"},
    {"mpi.h", "comm/"},
    {"nccl", "comm/"},
    {"dnnl", "backend/"},
    {"cuda", "backend/"},
    {"cublas", "backend/"},
    {"Eigen/", "backend/"},
    {"CLI/", "app/"},
    {"spdlog/", "core/"},
    {"Random123/", "core/", "backend/cuda/"},
    {"png", "infer/picture/png"},
};

struct Include {
    std::string name;
    bool quoted = false;  ///< "name" rather than <name>
};

std::vector<Include> includes_in(const std::string& text) {
    static const std::regex pattern(R"re((^|\n)[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">])re");
    std::vector<Include> includes;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
        includes.push_back({(*match)[3], (*match)[2] == "\""});
    }
    return includes;
}

/// `path` without a leading `prefix`; empty if it does not begin so.
std::string_view below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string_view();
}

/// The place of a path's first folder among the layers; -1 where it is none.
std::ptrdiff_t layer_of(std::string_view path) {
    const auto found = std::find(kLayers.begin(), kLayers.end(), path.substr(0, path.find('/')));
    return found == kLayers.end() ? -1 : found - kLayers.begin();
}

/// Whether a file at `mine` may not include one at `theirs`, for the order of the layer's folders; both are
/// paths below include/vae_dist/ or src/, of one layer.
bool against_folders(std::string_view mine, std::string_view theirs) {
    const auto folder_of = [](std::string_view path) {
        const std::string_view rest = path.substr(path.find('/') + 1);
        return rest.find('/') == std::string_view::npos ? std::string_view() : rest.substr(0, rest.find('/'));
    };
    const std::string_view from = folder_of(mine);
    const std::string_view to = folder_of(theirs);
    if (from == to || from.empty() || to.empty()) return false;
    bool ordered = false;  // without an order, as in other layers, all is allowed
    for (const Folders& of : kFolders) {
        if (!mine.starts_with(of.layer) || mine[of.layer.size()] != '/') continue;
        const auto at = std::find(of.folders.begin(), of.folders.end(), from);
        if (at != of.folders.end() && std::find(of.folders.begin(), at, to) != at) return false;
        ordered = true;
    }
    return ordered;
}

/// Why `file` (relative to the project) may not include that; empty if it may.
std::string objection(const std::string& file, const Include& include) {
    const bool is_public = file.starts_with("include/");
    const std::string_view place = below(file, is_public ? "include/vae_dist/" : "src/");
    const std::ptrdiff_t mine = layer_of(place);
    if (mine < 0) return "lies in no layer's folder";

    for (const Confined& library : kConfined) {
        if (include.quoted || !include.name.starts_with(library.header)) continue;
        if (!library.is_for(place)) return fmt::format("only {}* may include this", library.files);
    }
    const std::string_view public_header = below(include.name, "vae_dist/");
    if (public_header.empty() && !include.quoted) return "";

    const std::ptrdiff_t theirs = layer_of(public_header.empty() ? include.name : public_header);
    if (theirs < 0)
        return "include our headers as \"vae_dist/LAYER/...\", or \"LAYER/...\" where private to src/";
    if (theirs > mine) return "the layer lies below this one";
    if (public_header.empty() && is_public) return "a public header needs one that is private to src/";
    if (public_header.empty() && theirs != mine) return "the header is private to another layer";
    if (theirs == mine && against_folders(place, public_header.empty() ? include.name : public_header))
        return "the folder lies below this one";
    return "";
}

std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_source(const fs::path& path) {
    constexpr std::array<std::string_view, 6> kEndings = {".hpp", ".cpp", ".h", ".cu", ".cuh", ".inc"};
    return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end();
}

/// Every source file in these folders of the project, relative to its root.
std::vector<std::string> files_in(const std::vector<std::string>& folders) {
    const fs::path project = PROJECT_FOLDER;
    std::vector<std::string> files;
    for (const std::string& folder : folders) {
        for (const auto& entry : fs::recursive_directory_iterator(project / folder)) {
            if (!entry.is_regular_file() || !is_source(entry.path())) continue;
            files.push_back(entry.path().lexically_relative(project).generic_string());
        }
    }
    return files;
}

/// Every source file of the project with what it includes.
std::vector<std::pair<std::string, std::vector<Include>>> sources() {
    std::vector<std::pair<std::string, std::vector<Include>>> files;
    for (const std::string& file : files_in({"include", "src"}))
        files.emplace_back(file, includes_in(read(fs::path(PROJECT_FOLDER) / file)));
    return files;
}

/// True for a header that CMake makes from a template in the same folder.
bool is_generated_beside(const std::string& file, const Include& include) {
    return include.quoted &&
           fs::exists((fs::path(PROJECT_FOLDER) / file).parent_path() / (include.name + ".in"));
}

TEST(Architecture, NoIncludeGoesAgainstTheOrderOfTheLayers) {
    EXPECT_GT(sources().size(), 20U) << "the sources were not found in " << PROJECT_FOLDER;
    for (const auto& [file, includes] : sources()) {
        for (const Include& include : includes) {
            if (is_generated_beside(file, include)) continue;
            EXPECT_EQ(objection(file, include), "") << file << " includes " << include.name;
        }
    }
}

TEST(Architecture, OneFileAloneKnowsYaml) {
    std::vector<std::string> files;
    for (const auto& [file, includes] : sources()) {
        const bool knows = std::any_of(includes.begin(), includes.end(), [](const Include& include) {
            return include.name.starts_with("yaml-cpp/");
        });
        if (knows) files.push_back(file);
    }
    EXPECT_EQ(files.size(), 1U) << fmt::format("{}", fmt::join(files, ", "));
}

// The linker keeps one of two inline functions of one name, also of two classes' constructors: objects of the
// other class are then read wrongly, without a word, and only in builds that do not put these functions in
// line. Tests are looked at, too, for they are linked with the layers.
TEST(Architecture, NoTwoFilesDefineATypeOfOneName) {
    std::map<std::string, std::vector<std::string>> definitions;
    for (const std::string& file : files_in({"include", "src", "tests"})) {
        try {
            for (const std::string& type : types_defined_in(read(fs::path(PROJECT_FOLDER) / file)))
                definitions[type].push_back(file);
        } catch (const std::exception& error) {
            ADD_FAILURE() << file << ": " << error.what();
        }
    }
    EXPECT_GT(definitions.size(), 300U) << "the types were not found";
    for (const auto& [type, files] : definitions) {
        EXPECT_EQ(files.size(), 1U) << type << " is defined in " << fmt::format("{}", fmt::join(files, ", "))
                                    << ": give them names of their own, or an anonymous namespace";
    }
}

/// The types in anonymous namespaces with the files that define them. The backend's files are left out: they
/// alone are compiled one by one.
std::map<std::string, std::vector<std::string>> types_of_single_files() {
    std::map<std::string, std::vector<std::string>> files_by_type;
    for (const std::string& file : files_in({"src"})) {
        if (file.starts_with("src/backend/")) continue;
        const std::string text = read(fs::path(PROJECT_FOLDER) / file);
        for (const std::string& type : types_defined_in(text, TypeScope::file))
            files_by_type[type].push_back(file);
    }
    EXPECT_GT(files_by_type.size(), 50U) << "the types were not found";
    return files_by_type;
}

// Files of a layer are compiled several at once (CMAKE_UNITY_BUILD), in groups that change with every new
// file: their anonymous namespaces are then one.
TEST(Architecture, NoTwoFilesOfALayerHaveTypesOfOneNameInAnonymousNamespaces) {
    for (const auto& [type, files] : types_of_single_files()) {
        std::map<std::ptrdiff_t, std::string> file_of_layer;
        for (const std::string& file : files) {
            const auto [other, is_first] = file_of_layer.try_emplace(layer_of(below(file, "src/")), file);
            EXPECT_TRUE(is_first) << type << " is defined in " << other->second << " and " << file
                                  << ": give them names of their own";
        }
    }
}

// A name in an anonymous namespace is ambiguous where a header declares the same name outside of it.
TEST(Architecture, NoTypeInAnAnonymousNamespaceHasTheNameOfOneOutside) {
    const auto types = types_of_single_files();
    for (const std::string& file : files_in({"include", "src"})) {
        for (const std::string& type : types_defined_in(read(fs::path(PROJECT_FOLDER) / file))) {
            EXPECT_FALSE(types.contains(type))
                << type << " of " << file << " is defined in " << types.at(type).front()
                << ", too: give it another name there";
        }
    }
}

// The checker itself, on made-up text.

TEST(ArchitectureChecker, FindsIncludesHoweverTheyAreSpaced) {
    const auto found =
        includes_in("#include \"vae_dist/core/log.hpp\"\n  # include <mpi.h>\n// #include <no.h>\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "vae_dist/core/log.hpp");
    EXPECT_TRUE(found[0].quoted);
    EXPECT_EQ(found[1].name, "mpi.h");
    EXPECT_FALSE(found[1].quoted);
}

TEST(ArchitectureChecker, AllowsWhatLiesAbove) {
    EXPECT_EQ(objection("src/train/trainer.cpp", {"vae_dist/core/error.hpp", true}), "");
    EXPECT_EQ(objection("src/train/trainer.cpp", {"train/parts.hpp", true}), "");
    EXPECT_EQ(objection("include/vae_dist/data/hdf5.hpp", {"hdf5.h", false}), "");
    EXPECT_EQ(objection("src/config/yaml.cpp", {"yaml-cpp/parser.h", false}), "");
    EXPECT_EQ(objection("src/comm/mpi_communicator.cpp", {"mpi.h", false}), "");
    EXPECT_EQ(objection("src/infer/picture/png.cpp", {"png.h", false}), "");
    EXPECT_EQ(objection("src/core/log.cpp", {"string", false}), "");
}

TEST(ArchitectureChecker, FindsEveryForbiddenEdge) {
    for (std::size_t user = 0; user < kLayers.size(); ++user) {
        for (std::size_t used = 0; used < kLayers.size(); ++used) {
            const std::string header = fmt::format("vae_dist/{}/x.hpp", kLayers[used]);
            for (const char* folder : {"include/vae_dist", "src"}) {
                const std::string file = fmt::format("{}/{}/deep/x.hpp", folder, kLayers[user]);
                EXPECT_EQ(objection(file, {header, true}).empty(), used <= user)
                    << file << " includes " << header;
                EXPECT_EQ(objection(file, {header, false}).empty(), used <= user)
                    << file << " includes " << header;
            }
        }
    }
}

TEST(ArchitectureChecker, HoldsFoldersAgainstTheirOrder) {
    EXPECT_EQ(objection("src/train/run/run.cpp", {"vae_dist/train/record/metrics.hpp", true}), "");
    EXPECT_EQ(objection("src/train/step/team.cpp", {"train/step/team.hpp", true}), "");
    EXPECT_EQ(objection("src/train/step/training_step.cpp", {"vae_dist/train/schedule.hpp", true}), "");
    EXPECT_EQ(objection("src/data/import/csv.cpp", {"vae_dist/data/hdf5/hdf5.hpp", true}), "");
    EXPECT_EQ(objection("src/infer/run/x.cpp", {"vae_dist/train/record/metrics.hpp", true}), "");
    EXPECT_NE(objection("src/train/step/team.cpp", {"train/run/run.hpp", true}), "");
    EXPECT_NE(objection("include/vae_dist/train/optimizer/optimizer.hpp",
                        {"vae_dist/train/record/metrics.hpp", true}),
              "");
    EXPECT_NE(objection("src/data/rows/row_source.cpp", {"vae_dist/data/loader/epoch_plan.hpp", true}), "");
    EXPECT_NE(objection("src/data/inspect/inspect.cpp", {"data/import/csv_text.hpp", true}), "");
    EXPECT_NE(objection("src/data/new/x.cpp", {"vae_dist/data/hdf5/hdf5.hpp", true}), "");
}

TEST(ArchitectureChecker, FindsPrivateHeadersOutsideTheirLayer) {
    EXPECT_NE(objection("src/train/trainer.cpp", {"data/parts.hpp", true}), "");
    EXPECT_NE(objection("include/vae_dist/data/rows/row_source.hpp", {"data/parts.hpp", true}), "");
}

TEST(ArchitectureChecker, FindsLibrariesOutsideTheirPlace) {
    EXPECT_NE(objection("src/config/load.cpp", {"yaml-cpp/yaml.h", false}), "");
    EXPECT_NE(objection("src/data/rows/row_source.cpp", {"hdf5.h", false}), "");
    EXPECT_NE(objection("src/train/trainer.cpp", {"mpi.h", false}), "");
    EXPECT_NE(objection("include/vae_dist/model/vae.hpp", {"Eigen/Core", false}), "");
    EXPECT_NE(objection("src/infer/picture/grid.cpp", {"png.h", false}), "");
    EXPECT_NE(objection("src/backend/cpu/input.cpp", {"Random123/philox.h", false}), "");
    EXPECT_NE(objection("src/train/step/device_engine.cpp", {"cuda_runtime.h", false}), "");
}

TEST(ArchitectureChecker, FindsHeadersAndFilesThatNameNoLayer) {
    EXPECT_NE(objection("src/train/trainer.cpp", {"../data/parts.hpp", true}), "");
    EXPECT_NE(objection("src/train/trainer.cpp", {"parts.hpp", true}), "");
    EXPECT_NE(objection("src/util/text.cpp", {"string", false}), "");
}

}  // namespace
