#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "support/thread_communicator.hpp"
#include "unit/data/data_files.hpp"
#include "vae_dist/config/load.hpp"
#include "vae_dist/core/files.hpp"
#include "vae_dist/infer/trained_model.hpp"

namespace vae_dist {

/// A made-up model of one hidden tanh layer either way in a file, and what it computes, by plain loops in
/// double.
class MadeUpModel {
 public:
    static constexpr std::int64_t kLatent = 3;

    MadeUpModel(const std::string& file, const std::vector<std::int64_t>& row_shape,
                const std::string& likelihood, const std::string& transform, const std::string& data_type) {
        std::int64_t features = 1;
        for (const std::int64_t size : row_shape)
            features *= size;
        checkpoint_.progress.window.sums = {{"kl", 0}, {"reconstruction", 0}};
        checkpoint_.config = parse_config(
            "data: {train: {files: [train.h5], dataset: x}, transform: " + transform +
                "}\n"
                "model: {latent_dim: 3, encoder: {hidden: [6]}, decoder: {hidden: [5]}, activation: tanh, "
                "likelihood: " +
                likelihood + "}\n",
            "made_up.yaml");
        checkpoint_.config.train.virtual_ranks = 1;
        checkpoint_.progress.step = 77;
        checkpoint_.progress.epoch = 4;
        checkpoint_.row_shape = row_shape;
        checkpoint_.data_type = data_type;
        if (transform == "standardize") set_statistics(features);
        const auto backend = make_backend({});
        const Vae vae(checkpoint_.config.model, features, *backend);
        const CounterRandom random(3, Purpose::initialise);
        std::uint64_t number = 0;
        for (const Parameter& parameter : vae.layout().parameters()) {
            std::vector<float> values(static_cast<std::size_t>(parameter.size()));
            random.normals(0, number++, values);
            for (float& value : values)
                value *= 0.4F;
            arrays_[parameter.name] = values;
            checkpoint_.model.push_back({parameter.name, parameter.shape, values});
        }
        write_file_atomically(file, checkpoint_bytes(checkpoint_));
    }

    const Checkpoint& checkpoint() const { return checkpoint_; }

    struct Posterior {
        std::vector<double> mean, log_variance;  ///< (Z)
    };
    Posterior encode(const std::vector<double>& x) const {
        const std::vector<double> hidden = layer("encoder/0", x, true);
        return {layer("encoder/mean", hidden, false), layer("encoder/log_variance", hidden, false)};
    }
    /// The decoder's output (D): logits or means.
    std::vector<double> output(const std::vector<double>& latent) const {
        return layer("decoder/output", layer("decoder/0", latent, true), false);
    }
    std::vector<double> mean(const std::vector<double>& latent) const {
        std::vector<double> values = output(latent);
        if (checkpoint_.config.model.likelihood.kind == LikelihoodKind::bernoulli) {
            for (double& value : values)
                value = 1 / (1 + std::exp(-value));
        }
        return values;
    }
    const std::vector<float>& array(const std::string& name) const { return arrays_.at(name); }

 private:
    void set_statistics(std::int64_t features) {
        checkpoint_.statistics.emplace();
        for (std::int64_t d = 0; d < features; ++d) {
            checkpoint_.statistics->mean.push_back(0.5 + 0.01 * static_cast<double>(d));
            checkpoint_.statistics->deviation.push_back(0.2 + 0.02 * static_cast<double>(d));
        }
        checkpoint_.statistics->rows = 40;
    }

    std::vector<double> layer(const std::string& name, const std::vector<double>& x, bool hidden) const {
        const std::vector<float>& weight = arrays_.at(name + "/weight");
        std::vector<double> y;
        for (const float bias : arrays_.at(name + "/bias")) {
            double sum = bias;
            for (std::size_t i = 0; i < x.size(); ++i)
                sum += double{weight[y.size() * x.size() + i]} * x[i];
            y.push_back(hidden ? std::tanh(sum) : sum);
        }
        return y;
    }

    Checkpoint checkpoint_;
    std::map<std::string, std::vector<float>> arrays_;
};

/// Numbers in (0, 1), a pure function of their place.
inline std::vector<float> made_up_values(std::int64_t rows, std::int64_t features) {
    const CounterRandom random(8, Purpose::synthetic);
    std::vector<float> values;
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t d = 0; d < features; ++d)
            values.push_back(random.uniform(0, static_cast<std::uint64_t>(r), static_cast<std::uint32_t>(d)));
    }
    return values;
}

/// A file's datasets and the attributes of its root group, as they can be compared.
inline std::map<std::string, std::vector<float>> contents(const std::string& path) {
    const hdf5::File file = hdf5::File::open(path);
    std::map<std::string, std::vector<float>> all;
    for (const std::string& dataset : file.datasets())
        all[dataset] = file.read_floats(dataset);
    for (const std::string& name : file.attributes("/"))
        all[name + " = " + file.attribute_as_text("/", name)] = {};
    return all;
}

inline std::vector<double> row_of(const std::vector<float>& values, std::size_t row, std::size_t features) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * features);
    return {first, first + static_cast<std::ptrdiff_t>(features)};
}

/// A folder with a made-up model and data of 4 x 5 numbers.
class Trained : public testing::Test {
 protected:
    static constexpr std::int64_t kRows = 2500;  // several ranges of several slices
    static constexpr std::int64_t kFeatures = 20;

    MadeUpModel save_model(const std::string& likelihood = "gaussian", const std::string& transform = "none",
                           const std::vector<std::int64_t>& row_shape = {4, 5},
                           const std::string& data_type = "float32") const {
        return {model_file(), row_shape, likelihood, transform, data_type};
    }
    void save_data(const std::vector<float>& values,
                   const std::vector<std::int64_t>& row_shape = {4, 5}) const {
        hdf5::File file = hdf5::File::create(folder_.file("data.h5"));
        hdf5::RowWriter writer(file, "x", {.row_shape = row_shape, .chunk_rows = 7});
        writer.append(static_cast<std::int64_t>(values.size()) / kFeatures,
                      std::as_bytes(std::span(values)).data());
        writer.close();
        file.close();
    }

    std::string model_file() const { return folder_.file("model.h5"); }
    std::string dataset() const { return folder_.file("data.h5") + ":x"; }
    std::string out() const { return folder_.file("out.h5"); }
    std::string png() const { return folder_.file("out.png"); }

    /// Runs a command on so many ranks.
    using Command = std::function<void(const TrainedModel&, Communicator&, const Log&)>;
    void run(int ranks, const Command& command) const {
        run_ranks(ranks, [&](Communicator& communicator) {
            const Log log(communicator.rank());
            const TrainedModel model(model_file(), communicator, log);
            command(model, communicator, log);
        });
    }

    /// Expects that `run_on` writes the same out() and png() on 1 to 4 ranks.
    void expect_same_files_on_every_number_of_ranks(const std::function<void(int ranks)>& run_on) const {
        run_on(1);
        const auto first = contents(out());
        const std::string picture = read_text_file(png());
        for (const int ranks : {2, 3, 4}) {
            run_on(ranks);
            EXPECT_EQ(contents(out()), first) << ranks << " ranks";
            EXPECT_EQ(read_text_file(png()), picture) << ranks << " ranks";
        }
    }

    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            names.push_back(entry.path().filename().string());
        std::ranges::sort(names);
        return names;
    }

    TemporaryFolder folder_;
};

}  // namespace vae_dist
