#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vae_dist/core/element_type.hpp"

namespace vae_dist::hdf5 {

// The one place that speaks to the HDF5 library's C interface. Every call is checked; errors carry the
// library's innermost message, and the library itself prints nothing. What cannot be read is an input error,
// what cannot be written ErrorKind::failure; both name the file and the object in it. Different threads may
// use different files at the same time: the library must be built thread-safe, and that is checked. Files
// written here carry no times, so that equal contents are equal files.

/// Owns one HDF5 identifier of any kind.
class Handle {
 public:
    Handle() = default;
    Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), close_(closer) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Handle& operator=(Handle&& other) noexcept;
    ~Handle() { reset(); }

    hid_t get() const { return id_; }
    explicit operator bool() const { return id_ >= 0; }
    void reset() noexcept;
    /// Closes now and says whether that succeeded (a destructor cannot).
    bool close() noexcept;

 private:
    hid_t id_ = -1;
    herr_t (*close_)(hid_t) = nullptr;
};

/// HDF5's innermost error message of the last failed call of this thread, or "unknown error".
std::string last_error();

enum class NodeKind { group, dataset, other, missing };

struct DatasetInfo {
    std::vector<std::int64_t> shape;  ///< {} for a single number, and where there is no space at all
    std::optional<ElementType>
        type;               ///< absent: neither integer nor float (type_name says what); the smallest
                            ///< that holds the file's: float16 is read as float32, bool as int8
    std::string type_name;  ///< as in the file: "uint8", "float16", "bool", "string", "compound", ...
    std::vector<std::int64_t> chunk;   ///< {} if contiguous
    std::vector<std::string> filters;  ///< "deflate", "shuffle", "fletcher32", ... in the order of writing
    std::uint64_t stored_bytes = 0;
    bool is_virtual = false;  ///< made of other datasets, often in other files; it stores nothing itself
    std::optional<double> fill_value;  ///< of numbers that were never written, where the file's maker set one
};

/// The numbers of an attribute, whatever their type.
struct AttributeNumbers {
    std::vector<double> values;
    bool floats = false;  ///< else they are integers
};

/// A file, open for reading or writing. Objects are named by their path, with or without a "/" in front.
class File {
 public:
    /// Opens for reading, without a lock on the file; input error if it is missing, is no HDF5 file, or is
    /// truncated.
    static File open(const std::string& path);
    /// Opens a file's bytes, which are copied; `name` is for messages.
    static File open_bytes(std::span<const std::byte> bytes, const std::string& name);
    /// Creates or truncates, for writing.
    static File create(const std::string& path);
    /// Opens an existing one for reading and writing.
    static File open_for_writing(const std::string& path);
    /// A new file in memory only; see `take_image`. `expected_bytes` of memory are set aside at once; where
    /// the file grows beyond, it may move.
    static File create_in_memory(std::size_t expected_bytes = 0);

    const std::string& path() const { return path_; }
    hid_t id() const { return handle_.get(); }

    /// What stands at a path; links are followed, and `missing` is also one that leads nowhere.
    NodeKind kind(const std::string& object) const;
    /// Names of a group's members, in the order of their bytes ("10" before "2").
    std::vector<std::string> members(const std::string& group) const;
    /// Full paths ("/train/x") of all datasets below `group`, each group's in the order of their names'
    /// bytes.
    std::vector<std::string> datasets(const std::string& group = "/") const;
    /// Of each link that leads nowhere, "x is a link to 'y' in the file 'gone.h5', which is missing".
    std::vector<std::string> dead_links() const;
    /// Throws an input error that lists the datasets there are if `dataset` is missing, or is a group.
    DatasetInfo info(const std::string& dataset) const;
    /// Takes an object out of the file; the file does not shrink.
    void remove(const std::string& object);

    /// A whole dataset of float32 or float64, or of anything HDF5 converts to it.
    std::vector<float> read_floats(const std::string& dataset) const;
    std::vector<double> read_doubles(const std::string& dataset) const;
    /// A new dataset of `shape`, of float32 or float64, in which `values` has as many elements; creates
    /// intermediate groups. With `checksum` it is chunked by at most 256 Ki elements, each chunk protected by
    /// Fletcher32 and written by a call of its own, so that other threads' calls of the library, which has
    /// one lock for all, come in between; without elements or dimensions there is nothing to chunk, and no
    /// checksum.
    void write_floats(const std::string& dataset, std::span<const std::int64_t> shape,
                      std::span<const float> values, bool checksum);
    void write_doubles(const std::string& dataset, std::span<const std::int64_t> shape,
                       std::span<const double> values, bool checksum);

    // Attributes of an object ("/" for the root group). Reading throws an input error if it is missing,
    // writing replaces. In a file that was created here they are checksummed by HDF5, except texts of 64 KiB
    // and more.
    bool has_attribute(const std::string& object, const std::string& name) const;
    std::vector<std::string> attributes(const std::string& object) const;
    void write_attribute(const std::string& object, const std::string& name, const std::string& text);
    void write_attribute(const std::string& object, const std::string& name, const char* text);
    void write_attribute(const std::string& object, const std::string& name, std::int64_t value);
    void write_attribute(const std::string& object, const std::string& name, double value);
    void write_attribute(const std::string& object, const std::string& name,
                         const std::vector<std::string>& texts);
    void remove_attribute(const std::string& object, const std::string& name);
    std::string read_text_attribute(const std::string& object, const std::string& name) const;
    std::int64_t read_int_attribute(const std::string& object, const std::string& name) const;
    double read_double_attribute(const std::string& object, const std::string& name) const;
    /// Absent where the attribute holds no numbers.
    std::optional<AttributeNumbers> numbers_in_attribute(const std::string& object,
                                                         const std::string& name) const;
    /// Any attribute as text, for people ("<array of 10 strings>" where it is long).
    std::string attribute_as_text(const std::string& object, const std::string& name) const;

    /// Closes a file made by create_in_memory; its bytes, as they would stand on disk, without a copy.
    std::vector<std::byte> take_image();
    /// Hands everything to the operating system and closes; throws ErrorKind::failure if anything could not
    /// be written. Nothing of the file may be open any longer. A file that is destroyed instead is abandoned:
    /// errors are not reported.
    void close();

 private:
    File(Handle handle, std::string path) : handle_(std::move(handle)), path_(std::move(path)) {}
    template <class T>
    std::vector<T> read_values(const std::string& dataset, hid_t memory_type) const;
    void write_values(const std::string& dataset, std::span<const std::int64_t> shape, hid_t file_type,
                      hid_t memory_type, const void* values, bool checksum);
    Handle open_attribute(const std::string& object, const std::string& name) const;
    void put_attribute(const std::string& object, const std::string& name, hid_t type, hid_t space,
                       const void* value);

    std::unique_ptr<std::vector<std::byte>> memory_;  ///< of a file in memory: where the library keeps it
    Handle handle_;
    std::string path_;
};

/// The dimension of a dataset that counts the samples: MATLAB's arrays lie in a file with their dimensions in
/// reverse.
enum class SampleDimension { first, last };

namespace detail {
class StoredChunks;
}

/// A dataset open for reading ranges of rows. Not safe to use from two threads at once; each thread opens its
/// own.
class RowReader {
 public:
    /// Throws an input error if the dataset cannot be opened, or is virtual and one that it is made of is
    /// missing: HDF5 would give fill values for its rows.
    /// Rows along the last dimension are those of a matrix only.
    RowReader(const std::string& path, const std::string& dataset);
    RowReader(File file, const std::string& dataset, SampleDimension samples);
    ~RowReader();
    const File& file() const { return file_; }
    const DatasetInfo& info() const { return info_; }
    /// How many there are, the shape of one, and of how many a chunk holds parts; 0 if contiguous.
    std::int64_t rows() const;
    std::vector<std::int64_t> row_shape() const;
    std::int64_t rows_in_chunk() const;
    /// Bytes of chunks that are kept at the most.
    std::size_t chunk_bytes_kept() const;
    /// Rows [first, first + count) in `info().type`, in this machine's byte order. All chunks that a row
    /// needs are kept, so that reading on from there inflates none of them again. Throws an input error
    /// naming file, dataset and rows.
    void read(std::int64_t first, std::int64_t count, std::byte* to) const;
    /// The same as float64, whatever the type.
    std::vector<double> read_doubles(std::int64_t first, std::int64_t count) const;

 private:
    bool read_stored_chunks(std::int64_t first, std::int64_t count, std::byte* to) const;
    void read_as(hid_t type, std::int64_t first, std::int64_t count, void* to) const;
    void read_columns(hid_t type, std::size_t element_bytes, std::int64_t first, std::int64_t count,
                      std::byte* to) const;
    void read_selection(hid_t type, std::int64_t first, std::int64_t count, void* to) const;

    File file_;
    std::string dataset_path_;
    DatasetInfo info_;
    SampleDimension samples_;
    Handle dataset_;
    Handle file_space_;
    std::unique_ptr<detail::StoredChunks> stored_chunks_;  ///< null: HDF5 itself decodes
};

struct RowWriterOptions {
    std::vector<std::int64_t> row_shape;
    ElementType type = ElementType::float32;
    std::int64_t chunk_rows = 256;
    int deflate = 0;  ///< 0: none, else 1 to 9; with shuffle for types wider than a byte
};

/// Rows in a chunk of about 256 KiB; at least 1, at most `most`.
std::int64_t chunk_rows_for(std::int64_t row_bytes, std::int64_t most);

/// A new dataset that grows by rows, checksummed (Fletcher32); creates intermediate groups.
class RowWriter {
 public:
    RowWriter(File& file, const std::string& dataset, const RowWriterOptions& options);
    /// `rows` rows in this machine's byte order; whole chunks are written at once, the rest is kept until
    /// there are more.
    void append(std::int64_t rows, const std::byte* from);
    /// Rows appended so far.
    std::int64_t rows() const;
    /// Writes what is left and closes the dataset, before the file is closed; without it the last rows are
    /// lost.
    void close();

 private:
    void write(std::int64_t rows, const std::byte* from);

    std::string where_;
    RowWriterOptions options_;
    std::size_t row_bytes_ = 0;
    Handle dataset_;
    std::int64_t written_ = 0;
    std::vector<std::byte> rest_;  ///< fewer than chunk_rows rows
};

/// The memory type of HDF5 for `type`.
hid_t memory_type(ElementType type);

}  // namespace vae_dist::hdf5
