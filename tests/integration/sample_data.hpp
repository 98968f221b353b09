#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace vae_dist {

/// Adds a dataset of 8 x 8 grey images (uint8, chunks of 16, gzipped) to a file, which is made if it is
/// missing: a bright spot on one of sixteen places, with noise. Images of `first_row` on are the same
/// whatever file they are in.
void write_images(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows,
                  std::int64_t first_row = 0);

/// Adds a table of 6 columns (float32, chunks of 32): mixtures of two hidden numbers, of different means and
/// spreads. The value at (bad_row, 2) is `bad` where bad_row >= 0.
void write_table(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows,
                 std::int64_t bad_row = -1, float bad = 0);

/// Adds a number for each row of a table (float64, chunks of 50, gzipped), on which its columns depend, too.
void write_energies(const std::filesystem::path& file, const std::string& dataset, std::int64_t rows);

/// Adds a dataset of strings, or of pairs of numbers with names.
void write_strings(const std::filesystem::path& file, const std::string& dataset);
void write_compounds(const std::filesystem::path& file, const std::string& dataset);
/// Adds a dataset of shape (0, 4).
void write_empty(const std::filesystem::path& file, const std::string& dataset);

}  // namespace vae_dist
