#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/import/import.hpp"

namespace vae_dist {

/// A folder to import from and to, and what an import may do to it.
class Import : public testing::Test {
 protected:
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder_.file(name), std::ios::binary) << bytes;
        return folder_.file(name);
    }
    std::string write_gzipped(const std::string& name, const std::string& bytes) const {
        const gzFile file = gzopen(folder_.file(name).c_str(), "wb");
        EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
                  static_cast<int>(bytes.size()));
        EXPECT_EQ(gzclose(file), Z_OK);
        return folder_.file(name);
    }
    std::string read(const std::string& path) const {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    ImportTarget target(const std::string& dataset = "train/x") const {
        return {.file = folder_.file("out.h5"), .dataset = dataset};
    }
    hdf5::File out() const { return hdf5::File::open(folder_.file("out.h5")); }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
            found.push_back(entry.path().filename().string());
        }
        std::ranges::sort(found);
        return found;
    }
    // The import fails as it should, and leaves neither the target nor a temporary file.
    void expect_refused(std::initializer_list<std::string> parts, const std::function<void()>& action,
                        ErrorKind kind = ErrorKind::input) const {
        const std::vector<std::string> before = names();
        expect_error(kind, parts, action);
        EXPECT_EQ(names(), before);
    }

    TemporaryFolder folder_;
};

/// The lowest `bytes` bytes of a number, the highest one first.
inline std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes; i-- > 0;)
        text += static_cast<char>(value >> 8 * i & 255);
    return text;
}

}  // namespace vae_dist
