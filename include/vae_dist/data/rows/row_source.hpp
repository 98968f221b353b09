#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vae_dist/config/config.hpp"
#include "vae_dist/core/element_type.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/data/rows/row_range.hpp"

namespace vae_dist {

/// A file that rows come from.
struct SourceFile {
    std::string name;  ///< without its folder
    std::uint64_t bytes = 0;
};

/// What one row has of one dataset: its numbers lie together.
struct RowField {
    std::string name;                 ///< "x", or that of a condition
    std::vector<std::int64_t> shape;  ///< of one row; {} for scalars
    ElementType type = ElementType::float32;
    std::size_t offset = 0;  ///< bytes from the beginning of the row
    std::int64_t numbers() const { return element_count(shape); }
};

/// A long table of samples, read by ranges of rows. A row is a record of fields, the first of which is the
/// sample itself; row_shape, element_type and features are this field's. Not safe to use from two threads at
/// once; each thread opens its own.
class RowSource {
 public:
    virtual ~RowSource() = default;

    virtual std::int64_t rows() const = 0;
    virtual const std::vector<std::int64_t>& row_shape() const = 0;  ///< of one sample; {} for scalars
    virtual ElementType element_type() const = 0;

    /// The ranges that are read whole: multiples of the file's chunks, of about 128 KiB at least, never
    /// across files.
    virtual const std::vector<RowRange>& blocks() const = 0;

    virtual std::vector<RowField> fields() const {
        return {{.name = "x", .shape = row_shape(), .type = element_type()}};
    }
    virtual std::size_t row_bytes() const;
    /// The rows of one field alone.
    virtual RowSource& source_of(std::size_t) { return *this; }

    /// Reads rows [first, first + count) to `to`: count * row_bytes() bytes, fields in their types and this
    /// machine's byte order, 0 between fields. Throws ErrorKind::failure or input naming file, dataset and
    /// rows.
    virtual void read(std::int64_t first, std::int64_t count, std::byte* to) = 0;

    /// "train.h5:train/x row 12" (row within that file), for messages.
    virtual std::string locate(std::int64_t row) const = 0;

    /// One line for people: files, dataset, shape, type, chunks, compression.
    virtual std::string description() const = 0;

    /// Where the rows lie, in their order; none where they are made up. Throws ErrorKind::failure.
    virtual std::vector<SourceFile> files() const { return {}; }

    /// The rows of each file, in their order; all of them where they are made up.
    virtual std::vector<RowRange> file_rows() const { return {{0, rows()}}; }

    /// What is no error but likely not meant, a sentence each, for people.
    virtual std::vector<std::string> doubts() const { return {}; }

    std::int64_t features() const;  ///< numbers in one sample
};

/// "8 x 8 uint8", "8 x 8 uint8, energy 1 float32": what the fields of a row are.
std::string form_of(const RowSource& rows);

/// Rows that a name is given to.
struct NamedRows {
    std::string name;
    std::unique_ptr<RowSource> source;
};

/// Samples with further fields beside them, in this order; just the samples where there are none. Throws an
/// input error for fields of another number of rows. A number of theirs that float32 cannot hold is an input
/// error when it is read.
std::unique_ptr<RowSource> join_rows(std::unique_ptr<RowSource> samples, std::vector<NamedRows> side);

/// What to do with that which a file declares of its own numbers.
struct ReadAs {
    Conventions conventions = Conventions::automatic;
    const char* setting = "data.conventions:";  ///< where the user says so, for messages
};

/// The dataset of `config`'s files taken in order as one. Throws an input error for: no file matching, not
/// HDF5, truncated, dataset missing (names those there are), a group, empty, scalar, of neither integers nor
/// floats, shapes or types that differ between files; and, unless conventions say otherwise, packed numbers,
/// arrays of MATLAB's, parts of sparse matrices, and rows that are stored nowhere. Rows with missing values
/// are an error when they are read.
std::unique_ptr<RowSource> open_hdf5_rows(const DatasetConfig& config, const ReadAs& as = {});

/// Made-up data: each number a pure function of (seed, row, feature).
std::unique_ptr<RowSource> make_synthetic_rows(const SyntheticConfig& config);

/// The dataset with those conditions, which it has, beside it.
std::unique_ptr<RowSource> open_rows(const DatasetConfig& config, std::span<const std::string> conditions,
                                     const ReadAs& as);

/// The training data that a configuration names (data.train or data.synthetic), with what the model takes
/// beside the samples.
std::unique_ptr<RowSource> open_training_rows(const Config& config);

/// The validation data that a configuration names, which has some.
std::unique_ptr<RowSource> open_validation_rows(const Config& config);

}  // namespace vae_dist
