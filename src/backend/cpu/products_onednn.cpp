#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>
#include <unordered_map>

#include "backend/cpu/products.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// What a product's code depends on: M, N, K, and where the next row lies in each matrix.
struct Plan {
    std::int64_t m, n, k;
    std::int64_t a_stride, b_stride, product_stride;
    bool a_transposed, b_transposed;

    auto operator<=>(const Plan&) const = default;
};

dnnl::memory::desc describe(std::int64_t rows, std::int64_t columns, std::int64_t stride, bool transposed) {
    return {{rows, columns},
            dnnl::memory::data_type::f32,
            transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1}};
}

// A product compiled for one plan. Plain layouts: packing the weights would save 2 % of the products' time
// and cost 7 % for the packing, anew in every step.
class Product {
 public:
    Product(const Plan& plan, const dnnl::engine& engine) {
        const auto a = describe(plan.m, plan.k, plan.a_stride, plan.a_transposed);
        const auto b = describe(plan.k, plan.n, plan.b_stride, plan.b_transposed);
        const auto product = describe(plan.m, plan.n, plan.product_stride, false);
        matmul_ = dnnl::matmul(dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, product), engine));
        arguments_ = {{DNNL_ARG_SRC, dnnl::memory(a, engine, nullptr)},
                      {DNNL_ARG_WEIGHTS, dnnl::memory(b, engine, nullptr)},
                      {DNNL_ARG_DST, dnnl::memory(product, engine, nullptr)}};
    }

    void run(const dnnl::stream& stream, const float* a, const float* b, float* product) {
        // The library's handles are not const; it only reads the factors.
        arguments_.at(DNNL_ARG_SRC).set_data_handle(const_cast<float*>(a));
        arguments_.at(DNNL_ARG_WEIGHTS).set_data_handle(const_cast<float*>(b));
        arguments_.at(DNNL_ARG_DST).set_data_handle(product);
        matmul_.execute(stream, arguments_);
    }

 private:
    dnnl::matmul matmul_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

const char* isa_name(dnnl::cpu_isa isa) {
    switch (isa) {
        case dnnl::cpu_isa::sse41:
            return "sse41";
        case dnnl::cpu_isa::avx:
            return "avx";
        case dnnl::cpu_isa::avx2:
            return "avx2";
        case dnnl::cpu_isa::avx2_vnni:
            return "avx2_vnni";
        case dnnl::cpu_isa::avx512_core:
            return "avx512_core";
        case dnnl::cpu_isa::avx512_core_vnni:
            return "avx512_core_vnni";
        case dnnl::cpu_isa::avx512_core_bf16:
            return "avx512_core_bf16";
        case dnnl::cpu_isa::avx512_core_amx:
            return "avx512_core_amx";
        default:
            return "other instruction set";
    }
}

class OneDnnProducts final : public MatrixProducts {
 public:
    explicit OneDnnProducts(std::int64_t threads) : threads_(static_cast<int>(threads)) { set_threads(); }

    std::string description() const override {
        const dnnl_version_t* version = dnnl_version();
        return fmt::format("oneDNN {}.{}.{} ({}), {} thread{}", version->major, version->minor,
                           version->patch, isa_name(dnnl::get_effective_cpu_isa()), threads_,
                           threads_ == 1 ? "" : "s");
    }

    void multiply(const Factor& a, const Factor& b, FloatMatrix product) override {
        const Plan plan = {product.rows,    product.columns, a.columns(),  a.matrix.stride,
                           b.matrix.stride, product.stride,  a.transposed, b.transposed};
        require(a.rows() == plan.m && b.rows() == plan.k && b.columns() == plan.n,
                "shapes of a product agree");
        if (plan.m == 0 || plan.n == 0) return;
        if (plan.k == 0) return set_zero(product);
        set_threads();
        auto found = products_.find(plan);
        if (found == products_.end()) found = products_.try_emplace(plan, plan, engine_).first;
        found->second.run(stream_, a.matrix.data, b.matrix.data, product.data);
        stream_.wait();
    }

 private:
    // OpenMP keeps this number for each calling thread. Unasked it would take all cores, for every rank of a
    // node.
    void set_threads() const {
        if (omp_get_max_threads() != threads_) omp_set_num_threads(threads_);
    }

    static void set_zero(FloatMatrix matrix) {
        for (std::int64_t r = 0; r < matrix.rows; ++r)
            std::fill_n(matrix.row(r), matrix.columns, 0.0F);
    }

    int threads_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::map<Plan, Product> products_;
};

}  // namespace

std::unique_ptr<MatrixProducts> make_onednn_products(std::int64_t threads) {
    return std::make_unique<OneDnnProducts>(threads);
}

}  // namespace vae_dist
