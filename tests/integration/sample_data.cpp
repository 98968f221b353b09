#include "integration/sample_data.hpp"

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "vae_dist/core/random.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist {

namespace {

hdf5::File open_or_create(const std::filesystem::path& file) {
    return std::filesystem::exists(file) ? hdf5::File::open_for_writing(file.string())
                                         : hdf5::File::create(file.string());
}

void write_rows(const std::filesystem::path& path, const std::string& dataset,
                const hdf5::RowWriterOptions& options, std::int64_t rows, std::span<const std::byte> bytes) {
    hdf5::File file = open_or_create(path);
    hdf5::RowWriter writer(file, dataset, options);
    if (rows > 0) writer.append(rows, bytes.data());
    writer.close();
    file.close();
}

void write_of_type(const std::filesystem::path& path, const std::string& dataset, const hdf5::Handle& type) {
    hdf5::File file = open_or_create(path);
    const std::array<hsize_t, 1> shape = {5};
    const hdf5::Handle space(H5Screate_simple(1, shape.data(), nullptr), H5Sclose);
    {
        const hdf5::Handle created(H5Dcreate2(file.id(), dataset.c_str(), type.get(), space.get(),
                                              H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                   H5Dclose);
    }
    file.close();
}

}  // namespace

void write_images(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows,
                  std::int64_t first_row) {
    constexpr std::uint32_t kSide = 8;
    const CounterRandom random(11, Purpose::synthetic);
    std::vector<std::uint8_t> pixels;
    for (std::int64_t row = first_row; row < first_row + rows; ++row) {
        const auto sample = static_cast<std::uint64_t>(row);
        const double across = 1 + 2.0 * static_cast<double>(random.below(4, 1, sample, 0));
        const double down = 1 + 2.0 * static_cast<double>(random.below(4, 1, sample, 1));
        for (std::uint32_t i = 0; i < kSide * kSide; ++i) {
            const double distance = std::hypot(i % kSide - across, i / kSide - down);
            const double grey = 215 * std::exp(-distance * distance / 2) + 40 * random.uniform(0, sample, i);
            pixels.push_back(static_cast<std::uint8_t>(grey));
        }
    }
    write_rows(file, dataset,
               {.row_shape = {kSide, kSide}, .type = ElementType::uint8, .chunk_rows = 16, .deflate = 4},
               rows, std::as_bytes(std::span(pixels)));
}

void write_table(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows,
                 std::int64_t bad_row, float bad) {
    constexpr std::size_t kColumns = 6;
    const CounterRandom random(12, Purpose::synthetic);
    std::vector<float> values;
    for (std::int64_t row = 0; row < rows; ++row) {
        std::array<float, kColumns + 2> normals;
        random.normals(0, static_cast<std::uint64_t>(row), normals);
        for (std::size_t c = 0; c < kColumns; ++c) {
            const float mixed = c % 2 == 0 ? normals[6] + 0.5F * normals[7] : normals[6] * normals[7];
            values.push_back(static_cast<float>(c) * 10 +
                             (static_cast<float>(c) + 1) * (mixed + 0.1F * normals[c]));
        }
    }
    if (bad_row >= 0) values[static_cast<std::size_t>(bad_row) * kColumns + 2] = bad;
    write_rows(file, dataset,
               {.row_shape = {kColumns}, .type = ElementType::float32, .chunk_rows = 32, .deflate = 0}, rows,
               std::as_bytes(std::span(values)));
}

void write_energies(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows) {
    const CounterRandom random(12, Purpose::synthetic);
    std::vector<double> values;
    for (std::int64_t row = 0; row < rows; ++row) {
        std::array<float, 8> normals;  // as write_table has them
        random.normals(0, static_cast<std::uint64_t>(row), normals);
        values.push_back(1000 + 30.0 * static_cast<double>(normals[6]));
    }
    write_rows(file, dataset, {.row_shape = {}, .type = ElementType::float64, .chunk_rows = 50, .deflate = 4},
               rows, std::as_bytes(std::span(values)));
}

void write_strings(const std::filesystem::path& file, const std::string& dataset) {
    const hdf5::Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), 8);
    write_of_type(file, dataset, type);
}

void write_compounds(const std::filesystem::path& file, const std::string& dataset) {
    const hdf5::Handle type(H5Tcreate(H5T_COMPOUND, 2 * sizeof(double)), H5Tclose);
    H5Tinsert(type.get(), "a", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(type.get(), "b", sizeof(double), H5T_NATIVE_DOUBLE);
    write_of_type(file, dataset, type);
}

void write_empty(const std::filesystem::path& file, const std::string& dataset) {
    write_rows(file, dataset, {.row_shape = {4}, .type = ElementType::float32, .chunk_rows = 4, .deflate = 0},
               0, {});
}

}  // namespace vae_dist
