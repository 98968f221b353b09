#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "app/command_line.hpp"

namespace vae_dist {

/// The part of the command line for commands on a trained model: evaluate, encode, reconstruct, generate.
class ModelCommandLine {
 public:
    /// Adds the commands; `app` parses into this object, which must outlive that.
    explicit ModelCommandLine(CLI::App& app);
    ModelCommandLine(const ModelCommandLine&) = delete;
    ModelCommandLine& operator=(const ModelCommandLine&) = delete;

    /// What was asked, if it was one of these commands.
    std::optional<Command> chosen();

 private:
    CLI::App* add_command(const std::string& name, const std::string& about, std::string& checkpoint);
    void add_evaluate();
    void add_encode();
    void add_reconstruct();
    void add_generate();
    void add_units(CLI::App* app);

    CLI::App& app_;
    CLI::App* evaluate_app_ = nullptr;
    CLI::App* encode_app_ = nullptr;
    CLI::App* reconstruct_app_ = nullptr;
    CLI::App* generate_app_ = nullptr;
    EvaluateCommand evaluate_;
    EncodeCommand encode_;
    ReconstructCommand reconstruct_;
    GenerateCommand generate_;
    std::string interpolate_;  ///< "3,17"
    std::string units_ = "model";
};

}  // namespace vae_dist
