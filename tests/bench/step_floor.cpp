// The floor of a training step: only its matrix products on one thread, each the best of many runs, by
// whichever is fastest: oneDNN with its second factor plain, or packed as oneDNN likes it, or our own
// products. Where oneDNN has no products of bfloat16 numbers, those of floats are the floor for both.
//
// usage: step_floor BATCH FEATURES LATENTS WIDTH...    prints one line of JSON

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "backend/cpu/library_threads.hpp"
#include "backend/cpu/products.hpp"

namespace {

using Memory = dnnl::memory;
using Number = Memory::data_type;
using Clock = std::chrono::steady_clock;

struct Layer {
    std::int64_t inputs;
    std::int64_t outputs;
};

// A factor (rows, columns), or the transpose of one that is stored (columns, rows).
struct Factor {
    std::int64_t rows;
    std::int64_t columns;
    bool transposed;

    Memory::desc as(Number number) const {
        return {{rows, columns}, number, transposed ? Memory::dims{1, rows} : Memory::dims{columns, 1}};
    }
    Memory::desc as_the_library_likes(Number number) const {
        return {{rows, columns}, number, Memory::format_tag::any};
    }
};

class Floor {
 public:
    explicit Floor(Number number) : number_(number) {}

    double step_ms(const std::vector<Layer>& layers, std::int64_t batch) {
        double sum = 0;
        for (const Layer& layer : layers) {
            const auto [in, out] = layer;
            sum += product_ms({batch, in, false}, {in, out, true});     // output
            sum += product_ms({out, batch, true}, {batch, in, false});  // gradient of the weights
            if (&layer == &layers.front()) continue;                    // nobody needs that of the data
            sum += product_ms({batch, out, false}, {out, in, false});   // gradient of the input
        }
        return sum;
    }

 private:
    double product_ms(const Factor& a, const Factor& b) {
        const double onednn =
            std::min(best_ms(a, b, b.as(number_)), best_ms(a, b, b.as_the_library_likes(number_)));
        return number_ == Number::f32 ? std::min(onednn, own_ms(a, b)) : onednn;
    }

    template <class Run>
    static double best_of(const Run& run) {
        constexpr int kWarmUp = 3;
        constexpr int kTimed = 20;
        double best = 1e9;
        for (int i = -kWarmUp; i < kTimed; ++i) {
            const auto begun = Clock::now();
            run();
            const std::chrono::duration<double, std::milli> taken = Clock::now() - begun;
            if (i >= 0) best = std::min(best, taken.count());
        }
        return best;
    }

    double own_ms(const Factor& a, const Factor& b) {
        const Memory a_memory = filled(a.as(Number::f32));
        const Memory b_memory = filled(b.as(Number::f32));
        std::vector<float> result(static_cast<std::size_t>(a.rows * b.columns));
        const auto factor = [](const Memory& memory, const Factor& what) -> vae_dist::Factor {
            const auto* data = static_cast<const float*>(memory.get_data_handle());
            if (what.transposed) return {vae_dist::ConstFloatMatrix(data, what.columns, what.rows), true};
            return {vae_dist::ConstFloatMatrix(data, what.rows, what.columns)};
        };
        return best_of([&] {
            own_->multiply(factor(a_memory, a), factor(b_memory, b), nullptr,
                           vae_dist::FloatMatrix(result.data(), a.rows, b.columns));
        });
    }

    double best_ms(const Factor& a, const Factor& b, const Memory::desc& form_of_b) {
        const Memory::desc result({a.rows, b.columns}, Number::f32, Memory::dims{b.columns, 1});
        const dnnl::matmul::primitive_desc chosen({a.as(number_), form_of_b, result}, engine_);
        const dnnl::matmul product(chosen);
        const std::unordered_map<int, Memory> arguments = {{DNNL_ARG_SRC, filled(chosen.src_desc())},
                                                           {DNNL_ARG_WEIGHTS, filled(chosen.weights_desc())},
                                                           {DNNL_ARG_DST, Memory(result, engine_)}};
        return best_of([&] {
            product.execute(stream_, arguments);
            stream_.wait();
        });
    }

    // Numbers of ordinary size: some processors are slower with others.
    Memory filled(const Memory::desc& form) const {
        Memory memory(form, engine_);
        const std::size_t count = form.get_size() / (number_ == Number::f32 ? 4 : 2);
        for (std::size_t i = 0; i < count; ++i) {
            if (number_ == Number::f32) {
                static_cast<float*>(memory.get_data_handle())[i] = static_cast<float>(i % 61) * 0.03F - 0.9F;
            } else {
                constexpr std::uint16_t kOneHalf = 0x3f00;
                static_cast<std::uint16_t*>(memory.get_data_handle())[i] =
                    static_cast<std::uint16_t>(kOneHalf + i % 61);
            }
        }
        return memory;
    }

    Number number_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::unique_ptr<vae_dist::MatrixProducts> own_ = vae_dist::make_blocked_products(vae_dist::Threads(1));
};

// Encoder, both heads of the posterior as one layer, decoder with the encoder's widths in reverse.
std::vector<Layer> layers_of(std::int64_t features, std::int64_t latents,
                             const std::vector<std::int64_t>& widths) {
    std::vector<Layer> layers;
    std::int64_t inputs = features;
    const auto add = [&](std::int64_t outputs) {
        layers.push_back({inputs, outputs});
        inputs = outputs;
    };
    for (const std::int64_t width : widths)
        add(width);
    add(2 * latents);
    inputs = latents;
    std::for_each(widths.rbegin(), widths.rend(), add);
    add(features);
    return layers;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: step_floor BATCH FEATURES LATENTS WIDTH...\n", stderr);
        return 2;
    }
    vae_dist::use_one_library_thread();
    std::vector<std::int64_t> numbers;
    for (int i = 1; i < argc; ++i)
        numbers.push_back(std::atoll(argv[i]));
    const auto layers = layers_of(numbers[1], numbers[2], {numbers.begin() + 3, numbers.end()});
    const double float32 = Floor(Number::f32).step_ms(layers, numbers[0]);
    double bfloat16 = float32;
    if (vae_dist::make_products(vae_dist::Threads(1))->has_fast_bfloat16())
        bfloat16 = Floor(Number::bf16).step_ms(layers, numbers[0]);
    std::printf("{\"float32_ms\": %.4f, \"bfloat16_ms\": %.4f}\n", float32, bfloat16);
}
