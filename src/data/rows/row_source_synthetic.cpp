#include <fmt/format.h>

#include <cstring>

#include "data/rows/row_blocks.hpp"
#include "vae_dist/config/names.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/random.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {
namespace {

class SyntheticRows final : public RowSource {
 public:
    explicit SyntheticRows(const SyntheticConfig& config)
        : config_(config), random_(config.seed, Purpose::synthetic) {
        require(config.samples > 0 && features() > 0, "synthetic data have samples and features");
        sample_.resize(static_cast<std::size_t>(features()));
        append_blocks({0, config.samples}, 1, static_cast<std::int64_t>(row_bytes()), blocks_);
    }

    std::int64_t rows() const override { return config_.samples; }
    const std::vector<std::int64_t>& row_shape() const override { return config_.shape; }
    ElementType element_type() const override { return ElementType::float32; }
    const std::vector<RowRange>& blocks() const override { return blocks_; }

    void read(std::int64_t first, std::int64_t count, std::byte* to) override {
        require(first >= 0 && count >= 0 && first + count <= rows(), "rows to read are in the data");
        for (std::int64_t row = first; row < first + count; ++row, to += row_bytes()) {
            make_sample(static_cast<std::uint64_t>(row));
            std::memcpy(to, sample_.data(), row_bytes());
        }
    }

    std::string locate(std::int64_t row) const override { return fmt::format("synthetic data row {}", row); }

    std::string description() const override {
        return fmt::format("synthetic: {} of {} float32, seed {}",
                           counted(rows(), fmt::format("{} sample", name_of(config_.distribution))),
                           format_shape(row_shape()), config_.seed);
    }

 private:
    void make_sample(std::uint64_t row) {
        if (config_.distribution == SyntheticDistribution::normal) {
            random_.normals(0, row, sample_);
            return;
        }
        const bool bernoulli = config_.distribution == SyntheticDistribution::bernoulli;
        words_.resize(sample_.size());
        random_.fill_words(0, row, 0, words_);
        for (std::size_t i = 0; i < sample_.size(); ++i) {
            const float uniform = unit_float(words_[i]);
            sample_[i] = !bernoulli ? uniform : uniform < 0.5F ? 1.0F : 0.0F;
        }
    }

    SyntheticConfig config_;
    CounterRandom random_;
    std::vector<RowRange> blocks_;
    std::vector<float> sample_;
    std::vector<std::uint32_t> words_;
};

}  // namespace

std::unique_ptr<RowSource> make_synthetic_rows(const SyntheticConfig& config) {
    return std::make_unique<SyntheticRows>(config);
}

}  // namespace vae_dist
