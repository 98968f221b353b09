// The matrix products of a decoder alone: the floor under evaluate's time, whose importance weights take one
// pass through the decoder for each draw. See README.md.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/cpu/products.hpp"
#include "vae_dist/core/random.hpp"

namespace vae_dist {
namespace {

std::vector<float> some_numbers(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    CounterRandom(1, Purpose::synthetic).normals(0, 0, values);
    for (float& value : values)
        value *= 0.05F;
    return values;
}

// Seconds for `rows` rows through layers of these widths, `block` rows at a time.
double seconds_of(const std::vector<std::int64_t>& widths, std::int64_t rows, std::int64_t block) {
    const auto products = make_products(Threads(1));
    std::vector<std::vector<float>> weights;
    std::vector<std::vector<float>> values = {some_numbers(block * widths[0])};
    for (std::size_t i = 1; i < widths.size(); ++i) {
        weights.push_back(some_numbers(widths[i] * widths[i - 1]));
        values.emplace_back(static_cast<std::size_t>(block * widths[i]));
    }
    const auto pass = [&] {
        for (std::size_t i = 1; i < widths.size(); ++i) {
            products->multiply({ConstFloatMatrix(values[i - 1].data(), block, widths[i - 1])},
                               {ConstFloatMatrix(weights[i - 1].data(), widths[i], widths[i - 1]), true},
                               nullptr, FloatMatrix(values[i].data(), block, widths[i]));
        }
    };
    pass();  // compiles the products
    const auto begun = std::chrono::steady_clock::now();
    for (std::int64_t done = 0; done < rows; done += block)
        pass();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace
}  // namespace vae_dist

int main(int argc, char** argv) {
    if (argc < 5) {
        fmt::print(stderr, "usage: decoder_products ROWS BLOCK LATENTS WIDTH... FEATURES\n");
        return 2;
    }
    std::vector<std::int64_t> widths;
    for (int i = 3; i < argc; ++i)
        widths.push_back(std::atoll(argv[i]));
    fmt::print("{:.3f} s\n", vae_dist::seconds_of(widths, std::atoll(argv[1]), std::atoll(argv[2])));
    return 0;
}
