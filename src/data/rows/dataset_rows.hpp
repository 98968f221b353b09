#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/rows/declared_numbers.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/rows/row_source.hpp"

namespace vae_dist {

/// The rows of one dataset of one file, open, and read as its conventions and the user want it.
class DatasetRows {
 public:
    /// Throws the input errors of open_hdf5_rows that one file can have, but for that of require_whole.
    DatasetRows(const std::string& path, const std::string& dataset, const ReadAs& as);

    /// Throws an input error if rows are stored nowhere; once a file is enough.
    void require_whole() const;

    /// Where dimensions are turned as MATLAB's, though nothing says that MATLAB wrote the file: a sentence.
    /// Else empty.
    std::string doubt_about_matlab() const;

    std::int64_t rows() const { return reader_.rows(); }
    std::vector<std::int64_t> row_shape() const { return reader_.row_shape(); }
    ElementType element_type() const { return numbers_.type(); }
    /// Rows that are best read together, as a chunk has them.
    std::int64_t rows_together() const;
    /// Of chunks, at the most.
    std::size_t bytes_held() const;
    /// "chunks of 16 x 8, deflate", for people.
    std::string storage() const;

    /// Rows [first, first + count). Throws an input error naming the first row with a missing value.
    void read(std::int64_t first, std::int64_t count, std::byte* to);

    /// "25 of 50 rows (50%)" have missing values; of long data some pieces are looked at. Empty where none
    /// are declared.
    std::string share_missing() const { return share_missing(numbers_); }
    /// Of the rows looked at.
    bool any_missing() const { return count_missing(numbers_).missing > 0; }

 private:
    hdf5::RowReader open() const;
    void require_rows_of_numbers(const hdf5::DatasetInfo& info) const;
    void require_no_sparse_part(const hdf5::File& file) const;
    hdf5::SampleDimension choose_dimension(const hdf5::File& file, const hdf5::DatasetInfo& info) const;
    void require_no_packing(const Declarations& declarations);
    struct MissingRows {
        std::int64_t missing = 0;
        std::int64_t looked_at = 0;
    };
    MissingRows count_missing(const DeclaredNumbers& numbers) const;
    std::string share_missing(const DeclaredNumbers& numbers) const;
    [[noreturn]] void refuse_missing(std::int64_t row, const std::byte* stored, std::size_t index) const;

    std::string path_;
    std::string dataset_;
    ReadAs as_;
    hdf5::RowReader reader_;
    DeclaredNumbers numbers_;
    std::vector<std::byte> stored_;  // of rows that are unpacked
};

}  // namespace vae_dist
