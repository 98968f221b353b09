#include "vae_dist/model/likelihood.hpp"

#include <array>
#include <vector>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

constexpr const char* kDecoder = "decoder/";

// The random numbers of the features of one row, of one kind.
class RowRandom {
 public:
    RowRandom(const CounterRandom& random, std::int64_t row, std::size_t features)
        : random_(random), row_(static_cast<std::uint64_t>(row)), features_(features) {}

    void go_to(std::size_t feature) { feature_ = feature; }
    float uniform() const {
        if (words_.empty()) {
            words_.resize(features_);
            random_.fill_words(0, row_, 0, words_);
        }
        return unit_float(words_[feature_]);
    }
    float normal() const {
        if (normals_.empty()) {
            normals_.resize(features_);
            random_.normals(0, row_, normals_);
        }
        return normals_[feature_];
    }

 private:
    const CounterRandom& random_;
    std::uint64_t row_;
    std::size_t features_;
    std::size_t feature_ = 0;
    mutable std::vector<std::uint32_t> words_;
    mutable std::vector<float> normals_;
};

/// Features that are independent given z, each of the density D.
template <class D>
class DensityLikelihood final : public Likelihood {
 public:
    explicit DensityLikelihood(const LikelihoodConfig& config)
        : density_{.kind = config.kind,
                   .shared = D::kParameters > 1 && config.variance == VarianceKind::feature} {}

    Support support() const override { return D::kSupport; }
    bool mean_is_probability() const override { return D::kMeanIsProbability; }
    bool starts_from_mean() const override { return D::kStartsFromMean; }

    std::vector<Head> heads() const override {
        std::vector<Head> heads;
        for (int block = 0; block < density_.blocks(); ++block)
            heads.push_back({.name = parameter_name(block), .starts_at_zero = block != D::kMean});
        return heads;
    }

    std::vector<StartValues> start(std::span<const double> mean) const override {
        if constexpr (D::kStartsFromMean) {
            StartValues bias{.parameter = parameter_name(D::kMean) + "/bias", .values = {}};
            for (const double value : mean)
                bias.values.push_back(static_cast<float>(D::start(value)));
            return {std::move(bias)};
        } else {
            return {};
        }
    }

    ValueId add_density(Graph& graph, ValueId output, ValueId x) const override {
        std::vector<ValueId> inputs = {output, x};
        if (density_.shared) {
            const std::int64_t features = graph.value(x).shape.columns;
            inputs.push_back(graph.parameter({{.name = parameter_name(kLast), .shape = {features}}}));
        }
        return graph.add(Density{density_}, std::move(inputs))[0];
    }

    void to_parameters(Backend& backend, FloatMatrix output) const override {
        if (D::is_plain(density_.shared)) return;
        const Pass pass;
        const std::array<ConstOperand, 1> inputs = {output};
        const std::array<Operand, 1> outputs = {output};
        backend.run(DensityParameters{density_}, {.inputs = inputs, .outputs = outputs, .pass = pass});
    }

    FloatMatrix mean(FloatMatrix parameters) const override {
        const std::int64_t features = parameters.columns / density_.blocks();
        return parameters.column_block(D::kMean * features, features);
    }

    void draw(Backend& backend, const ParameterLayout& layout, const ParameterStore& store,
              const CounterRandom& random, std::span<const std::int64_t> rows,
              ConstFloatMatrix parameters_host, FloatMatrix to_host) const override {
        const std::int64_t features = to_host.columns;
        require(
            parameters_host.columns == density_.blocks() * features && to_host.rows == parameters_host.rows,
            "a draw takes the density's parameters");
        std::vector<float> shared(density_.shared ? static_cast<std::size_t>(features) : 0);
        if (density_.shared) {
            backend.copy_out(shared.data(), store.values.data() + layout.find(parameter_name(kLast)).offset,
                             shared.size() * sizeof(float));
        }
        for (std::int64_t r = 0; r < to_host.rows; ++r) {
            RowRandom of_row(random, rows[static_cast<std::size_t>(r)], static_cast<std::size_t>(features));
            for (std::int64_t d = 0; d < features; ++d) {
                float parameters[D::kParameters];
                for (int block = 0; block < density_.blocks(); ++block)
                    parameters[block] = parameters_host.row(r)[block * features + d];
                if (density_.shared) parameters[kLast] = shared[static_cast<std::size_t>(d)];
                of_row.go_to(static_cast<std::size_t>(d));
                to_host.row(r)[d] = D::draw(of_row, parameters);
            }
        }
    }

 private:
    static constexpr int kLast = D::kParameters - 1;

    static std::string parameter_name(int parameter) {
        return std::string(kDecoder) + D::kParameterNames[parameter];
    }

    DensityOfFeatures density_;
};

}  // namespace

std::unique_ptr<Likelihood> make_likelihood(const LikelihoodConfig& config) {
    return with_density(config.kind, [&]<class D>(D) -> std::unique_ptr<Likelihood> {
        return std::make_unique<DensityLikelihood<D>>(config);
    });
}

}  // namespace vae_dist
