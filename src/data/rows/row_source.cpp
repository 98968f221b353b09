#include "vae_dist/data/row_source.hpp"

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"

namespace vae_dist {

std::int64_t RowSource::features() const {
    return element_count(row_shape());
}

std::size_t RowSource::row_bytes() const {
    return static_cast<std::size_t>(features()) * element_bytes(element_type());
}

std::unique_ptr<RowSource> open_training_rows(const DataConfig& config) {
    require(config.train.has_value() != config.synthetic.has_value(),
            "exactly one of data.train and data.synthetic is configured");
    return config.train ? open_hdf5_rows(*config.train, {.conventions = config.conventions})
                        : make_synthetic_rows(*config.synthetic);
}

std::unique_ptr<RowSource> open_validation_rows(const DataConfig& config) {
    require(config.validation.has_value(), "data.validation is configured");
    return open_hdf5_rows(*config.validation, {.conventions = config.conventions});
}

}  // namespace vae_dist
