// A table for import csv. The first byte is the delimiter.

#include "fuzz/fuzz.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/data/import/import.hpp"

namespace vae_dist::fuzz {

std::vector<Bytes> seeds() {
    std::vector<Bytes> seeds;
    for (const char* text :
         {",a,b,c\n1,2,3\n4.5,-6e7,+8\n", ",1,2\r\n3,4\r\n", ";\"a;1\";\"b \"\"q\"\"\"\n1;2\n",
          ",\xef\xbb\xbfx,y\n1,2\n\n3,4", "\tx\ty\n0.1\t1e-300\n", ",1\n2\n3", ",nan,inf\n",
          ", 1 , 2 \n 3,4 \n", ",\"1\",\"2\"\n", ",1,\n,2\n"})
        seeds.push_back(bytes_of(std::string(text)));
    return seeds;
}

}  // namespace vae_dist::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vae_dist;
    if (size == 0) return 0;
    const std::string csv = fuzz::file_with(data + 1, size - 1);
    fuzz::expect_result_or_refusal([&] {
        CsvOptions options;
        options.delimiter = static_cast<char>(data[0]);
        const ImportTarget to = {
            .file = fuzz::fresh_file("table.h5"), .dataset = "x", .replace = false, .deflate = 0};
        fuzz::expect(import_csv(csv, options, to).rows > 0, "a table has rows");
    });
    return 0;
}
