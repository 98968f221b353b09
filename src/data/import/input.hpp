#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace vae_dist {

/// A file read once from its beginning to its end, unpacked if it is gzipped.
class ImportInput {
 public:
    explicit ImportInput(const std::string& path);

    const std::string& path() const { return path_; }
    /// The name without its folders.
    std::string name() const;
    /// Bytes handed out so far, unpacked.
    std::int64_t position() const { return position_; }

    /// Fills `to` as far as there are bytes; how many.
    std::size_t read(std::span<std::byte> to);
    /// Fills `to`, or throws an input error that says how many bytes of `expected` (from the file's
    /// beginning) there are.
    void read_exactly(std::span<std::byte> to, std::int64_t expected);
    /// Throws an input error if anything is left.
    void require_end();

 private:
    std::string path_;
    std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
    std::int64_t position_ = 0;
};

}  // namespace vae_dist
