#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vae_dist/data/import/import.hpp"
#include "vae_dist/infer/evaluate.hpp"
#include "vae_dist/infer/generate.hpp"
#include "vae_dist/infer/reconstruct.hpp"

namespace vae_dist {

// What each command was asked, after parsing.

struct TrainCommand {
    std::string config;
    std::vector<std::string> overrides;
};

struct CheckCommand {
    std::string config;
    std::vector<std::string> overrides;
    bool plan = false;  ///< tell the model's operations, too
};

struct BenchmarkCommand {
    std::string config;
    std::vector<std::string> overrides;
    std::int64_t steps = 50;
    std::int64_t warmup = 10;
};

// The seed of a command on a trained model: absent, it is the checkpoint's train.seed.

struct EvaluateCommand {
    std::string checkpoint;
    EvaluateOptions options;
    std::optional<std::uint32_t> seed;
    OutputOptions json;  ///< an empty path: no file
};

struct EncodeCommand {
    std::string checkpoint;
    InferenceDataOptions data;
    OutputOptions output;
};

struct ReconstructCommand {
    std::string checkpoint;
    ReconstructOptions options;
    std::optional<std::uint32_t> seed;
};

struct GenerateCommand {
    std::string checkpoint;
    GenerateOptions options;
    std::optional<std::uint32_t> seed;
};

struct InspectCommand {
    std::vector<std::string> files;  ///< names or globs
};

struct KeysCommand {
    std::string name;       ///< of a key or section; empty: all
    bool markdown = false;  ///< as the tables of configs/README.md
};

enum class ImportFormat { idx, csv, npy };

struct ImportCommand {
    ImportFormat format = ImportFormat::idx;
    std::string input;
    std::optional<std::string> labels;
    CsvOptions csv;
    ImportTarget target;
};

/// Text to print, and nothing else to do: --help and --version.
struct PrintCommand {
    std::string text;
};

using Command = std::variant<TrainCommand, CheckCommand, BenchmarkCommand, EvaluateCommand, EncodeCommand,
                             ReconstructCommand, GenerateCommand, InspectCommand, KeysCommand, ImportCommand,
                             PrintCommand>;

/// Throws an input error for arguments that make no sense.
Command parse_command_line(int argc, const char* const* argv);

/// Program, build and libraries, for --version.
std::string version_text();

}  // namespace vae_dist
