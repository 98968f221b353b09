// A data file: told about, and read as training does.

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "support/temporary_folder.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"
#include "vae_dist/data/inspect/inspect.hpp"
#include "vae_dist/data/rows/row_source.hpp"

// HDF5 1.10 does not compare the length of a damaged chunk with that of its rows, and copies beyond its end.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the sanitizer's name
extern "C" const char* __asan_default_suppressions();
extern "C" const char* __asan_default_suppressions() {
    return "interceptor_via_lib:libhdf5";
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> seeds;
    for (const int deflate : {0, 1}) {
        hdf5::File file = hdf5::File::create_in_memory();
        for (const ElementType type : {ElementType::uint8, ElementType::float32, ElementType::float64}) {
            const std::string name = "train/" + std::to_string(element_bytes(type));
            hdf5::RowWriter writer(file, name,
                                   {.row_shape = {3, 2}, .type = type, .chunk_rows = 4, .deflate = deflate});
            const std::vector<std::byte> rows(10 * 6 * element_bytes(type), std::byte{60});
            writer.append(10, rows.data());
            writer.close();
        }
        file.write_floats("plain", std::vector<std::int64_t>{2, 2}, std::vector<float>{1, 2, 3, 4}, false);
        file.write_attribute("plain", "source", std::string("a seed"));
        file.write_attribute("/", "names", std::vector<std::string>{"a", "b"});
        seeds.push_back(bytes_of(std::span<const std::byte>(file.take_image())));
    }
    return seeds;
}

namespace {

void read_rows(const std::string& path, const std::string& dataset) {
    const auto source = open_hdf5_rows({.files = {path}, .dataset = dataset});
    constexpr std::size_t kMostBytes = std::size_t{1} << 20;
    if (source->row_bytes() == 0 || source->row_bytes() > kMostBytes) return;
    const auto rows = static_cast<std::int64_t>(kMostBytes / source->row_bytes());
    std::vector<std::byte> bytes(kMostBytes);
    source->read(0, std::min(rows, source->rows()), bytes.data());
}

}  // namespace

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    const std::string path = fuzz::file_with(data, size);
    fuzz::expect_result_or_refusal(
        [&] { fuzz::expect(!describe_data_file(path).empty(), "something is told of a file"); });
    std::vector<std::string> datasets;
    fuzz::expect_result_or_refusal([&] { datasets = hdf5::File::open(path).datasets(); });
    for (const std::string& dataset : datasets)
        fuzz::expect_result_or_refusal([&] { fuzz::read_rows(path, dataset); });
    return 0;
}
