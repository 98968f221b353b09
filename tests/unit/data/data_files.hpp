#pragma once

#include <span>
#include <string>
#include <vector>

#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

/// Creates a file with one chunked dataset (values.size() / features, features).
template <class T>
void write_rows(const std::string& path, const std::string& dataset, ElementType type, std::int64_t features,
                const std::vector<T>& values, std::int64_t chunk_rows = 4) {
    hdf5::File file = hdf5::File::create(path);
    hdf5::RowWriter writer(file, dataset,
                           {.row_shape = {features}, .type = type, .chunk_rows = chunk_rows, .deflate = 1});
    writer.append(static_cast<std::int64_t>(values.size()) / features,
                  std::as_bytes(std::span(values)).data());
    writer.close();
    file.close();
}

inline void write_float_rows(const std::string& path, const std::string& dataset, std::int64_t features,
                             const std::vector<float>& values, std::int64_t chunk_rows = 4) {
    write_rows(path, dataset, ElementType::float32, features, values, chunk_rows);
}

}  // namespace vae_dist
