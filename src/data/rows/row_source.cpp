#include "vae_dist/data/rows/row_source.hpp"

#include <fmt/format.h>

#include <utility>

#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

std::int64_t RowSource::features() const {
    return element_count(row_shape());
}

std::size_t RowSource::row_bytes() const {
    return static_cast<std::size_t>(features()) * element_bytes(element_type());
}

std::string form_of(const RowSource& rows) {
    std::string form;
    for (const RowField& field : rows.fields()) {
        if (!form.empty()) form += fmt::format(", {} ", field.name);
        form += fmt::format("{} {}", format_shape(field.shape), element_name(field.type));
    }
    return form;
}

std::unique_ptr<RowSource> open_rows(const DatasetConfig& config, std::span<const std::string> conditions,
                                     const ReadAs& as) {
    std::vector<NamedRows> side;
    for (const std::string& name : conditions) {
        const auto dataset = config.conditions.find(name);
        require(dataset != config.conditions.end(), "a condition has a dataset");
        DatasetConfig of_condition = {.files = config.files, .dataset = dataset->second};
        side.push_back({.name = name, .source = open_hdf5_rows(of_condition, as)});
    }
    return join_rows(open_hdf5_rows({.files = config.files, .dataset = config.dataset}, as), std::move(side));
}

std::unique_ptr<RowSource> open_training_rows(const Config& config) {
    const DataConfig& data = config.data;
    require(data.train.has_value() != data.synthetic.has_value(),
            "exactly one of data.train and data.synthetic is configured");
    if (data.synthetic) return make_synthetic_rows(*data.synthetic);
    return open_rows(*data.train, config.model.condition.on, {.conventions = data.conventions});
}

std::unique_ptr<RowSource> open_validation_rows(const Config& config) {
    require(config.data.validation.has_value(), "data.validation is configured");
    return open_rows(*config.data.validation, config.model.condition.on,
                     {.conventions = config.data.conventions});
}

}  // namespace vae_dist
