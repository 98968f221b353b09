#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cpu/blocks.hpp"
#include "backend/cpu/library_threads.hpp"
#include "backend/cpu/products.hpp"
#include "backend/cpu/scratch.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// What a product's code depends on: M, N, K, where the next row lies in each matrix, precisions.
struct ProductPlan {
    std::int64_t m, n, k;
    std::int64_t a_stride, b_stride, product_stride;
    bool a_transposed, b_transposed;
    bool bfloat16_factors, bfloat16_product, has_bias;

    auto operator<=>(const ProductPlan&) const = default;
};

// Where the matrices of a product, or of a piece of it, begin.
struct ProductPlaces {
    const void* a;
    const void* b;
    const float* bias;
    void* product;
};

template <class Float, class Half>
std::byte* address(const BasicOperand<Float, Half>& matrix) {
    // The library's handles are not const; it only reads the factors.
    return matrix.visit([](const auto& view) {
        return const_cast<std::byte*>(reinterpret_cast<const std::byte*>(view.data));
    });
}

dnnl::memory::desc describe(std::int64_t rows, std::int64_t columns, bool bfloat16,
                            dnnl::memory::dims strides) {
    const auto type = bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
    return {{rows, columns}, type, std::move(strides)};
}

dnnl::memory::dims strides_of(std::int64_t stride, bool transposed) {
    return transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1};
}

// The library ends the process where there is no memory for the instructions that it makes.
void require_room_for_code() {
    constexpr std::size_t kEnough = std::size_t{64} << 20;
    void* room = ::mmap(nullptr, kEnough, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        throw_failure(
            "out of memory: {} more of addresses are needed for matrix products; raise the limit (ulimit -v)",
            format_bytes(kEnough));
    }
    ::munmap(room, kEnough);
}

// A product compiled for one plan, on the calling thread alone. Plain layouts: packing the weights would save
// 2 % of the products' time and cost 7 % for the packing, anew in every step. All that it needs to run is
// made ready here: running it through the library's map of arguments would allocate.
class Product {
 public:
    Product(const ProductPlan& plan, const dnnl::engine& engine) {
        require_room_for_code();
        const auto a =
            describe(plan.m, plan.k, plan.bfloat16_factors, strides_of(plan.a_stride, plan.a_transposed));
        const auto b =
            describe(plan.k, plan.n, plan.bfloat16_factors, strides_of(plan.b_stride, plan.b_transposed));
        const auto bias = describe(1, plan.n, false, {plan.n, 1});
        const auto product = describe(plan.m, plan.n, plan.bfloat16_product, {plan.product_stride, 1});
        dnnl::primitive_attr attributes;
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
        using Prepared = dnnl::matmul::primitive_desc;
        const auto prepared = plan.has_bias ? Prepared(engine, a, b, bias, product, attributes)
                                            : Prepared(engine, a, b, product, attributes);
#else
        const auto what =
            plan.has_bias ? dnnl::matmul::desc(a, b, bias, product) : dnnl::matmul::desc(a, b, product);
        const dnnl::matmul::primitive_desc prepared(what, attributes, engine);
#endif
        implementation_ = prepared.impl_info_str();
        scratch_bytes_ = prepared.scratchpad_desc().get_size();
        matmul_ = dnnl::matmul(prepared);
        add(DNNL_ARG_SRC, a, engine);
        add(DNNL_ARG_WEIGHTS, b, engine);
        add(DNNL_ARG_DST, product, engine);
        add(DNNL_ARG_SCRATCHPAD, prepared.scratchpad_desc(), engine);
        if (plan.has_bias) add(DNNL_ARG_BIAS, bias, engine);
    }

    // Which of the library's kernels it runs in.
    std::string_view implementation() const {
        return implementation_;
    }
    std::size_t scratch_bytes() const {
        return scratch_bytes_;
    }

    void run(const dnnl::stream& stream, const ProductPlaces& places, std::byte* scratch) {
        set(0, places.a);
        set(1, places.b);
        set(2, places.product);
        set(3, scratch);
        if (count_ == 5) set(4, places.bias);
        check(dnnl_primitive_execute(matmul_.get(), stream.get(), count_, arguments_.data()));
        check(dnnl_stream_wait(stream.get()));
    }

 private:
    void add(int name, const dnnl::memory::desc& matrix, const dnnl::engine& engine) {
        dnnl::memory& memory = memories_[static_cast<std::size_t>(count_)];
        memory = dnnl::memory(matrix, engine, nullptr);
        arguments_[static_cast<std::size_t>(count_++)] = {name, memory.get()};
    }
    void set(std::size_t argument, const void* data) {
        check(dnnl_memory_set_data_handle(memories_[argument].get(), const_cast<void*>(data)));
    }
    static void check(dnnl_status_t status) {
        require(status == dnnl_success, "oneDNN runs a product");
    }

    dnnl::matmul matmul_;
    std::array<dnnl::memory, 5> memories_;
    std::array<dnnl_exec_arg_t, 5> arguments_{};
    int count_ = 0;
    std::string implementation_;
    std::size_t scratch_bytes_ = 0;
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

// An instruction set has the bits of those that it contains: later versions of the library know wider ones.
bool has_bfloat16(dnnl::cpu_isa isa) {
    constexpr auto kBFloat16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (static_cast<unsigned>(isa) & kBFloat16) == kBFloat16;
}

class OneDnnProducts final : public MatrixProducts {
 public:
    explicit OneDnnProducts(Threads threads)
        : threads_(threads), workers_(static_cast<std::size_t>(threads.count())) {
        for (Worker& worker : workers_)
            worker.stream = dnnl::stream(engine_);
    }

    std::string description() const override {
        const dnnl_version_t* version = dnnl_version();
        return fmt::format("oneDNN {}.{}.{} ({})", version->major, version->minor, version->patch,
                           isa_name(dnnl::get_effective_cpu_isa()));
    }
    bool has_fast_bfloat16() const override { return has_bfloat16(dnnl::get_effective_cpu_isa()); }

    void multiply(const Factor& a, const Factor& b, const float* bias, Operand product) override {
        const ProductPlan plan = {product.rows(),        product.columns(), a.columns(),
                                  a.matrix.stride(),     b.matrix.stride(), product.stride(),
                                  a.transposed,          b.transposed,      a.matrix.is_bfloat16(),
                                  product.is_bfloat16(), bias != nullptr};
        require(!ThreadTeam::is_working(), "a product has the threads for itself");
        require(a.rows() == plan.m && b.rows() == plan.k && b.columns() == plan.n,
                "shapes of a product agree");
        require(b.matrix.is_bfloat16() == plan.bfloat16_factors, "factors have one precision");
        if (plan.m == 0 || plan.n == 0) return;
        if (plan.k == 0) return set_rows(product, bias);
        auto found = plans_.find(plan);
        use_one_library_thread();
        if (found == plans_.end()) found = plans_.emplace(plan, make_pieces(plan)).first;
        std::vector<Piece>& pieces = found->second;
        threads_.each_with_thread(std::ssize(pieces), [&](std::int64_t i, int thread) {
            use_one_library_thread();
            Piece& piece = pieces[static_cast<std::size_t>(i)];
            const std::int64_t first = piece.first_row;
            const ConstOperand rows = a.transposed ? a.matrix.column_block(first, piece.rows)
                                                   : a.matrix.row_block(first, piece.rows);
            Worker& worker = workers_[static_cast<std::size_t>(thread)];
            piece.product.run(
                worker.stream,
                {address(rows), address(b.matrix), bias, address(product.row_block(first, piece.rows))},
                worker.scratch.get<std::byte>(0));
        });
    }

 private:
    // Rows of a product that one thread computes.
    struct Piece {
        std::int64_t first_row, rows;
        Product product;
    };
    struct Worker {
        dnnl::stream stream;
        Scratch scratch;
    };

    // Cuts a product where no number of threads shows in its bits. In the library's blocked kernels (brg) a
    // row's bits are the same however many rows are computed with it, as long as the matrices have no gaps
    // between their rows, which a part of the columns of a transposed factor has.
    std::vector<Piece> make_pieces(const ProductPlan& plan) {
        if (plan.a_transposed) return prepared(plan, rows_a_piece(plan.m));
        const Product whole(plan, engine_);
        const std::string_view kernel = whole.implementation();
        if (!kernel.starts_with("brg")) return prepared(plan, rows_a_piece(plan.m));
        // In those for AMX how the library cuts a sum may depend on the number of rows; and for each piece it
        // copies b anew, so that pieces are to have many.
        constexpr std::int64_t kTileRows = 256;
        if (kernel.find("amx") != std::string_view::npos) return prepared(plan, kTileRows);
        return prepared(plan, rows_a_thread(plan));
    }

    // The sum of no products.
    static void set_rows(const Operand& product, const float* bias) {
        product.visit([&]<class T>(const MatrixView<T>& matrix) {
            for (std::int64_t i = 0; i < matrix.size(); ++i) {
                const std::int64_t column = i % matrix.columns;
                const float value = bias == nullptr ? 0.0F : bias[column];
                store(Block::Constant(value), matrix.row(i / matrix.columns) + column, 1);
            }
        });
    }

    std::int64_t rows_a_thread(const ProductPlan& plan) const {
        constexpr std::int64_t kMultiple = 16;
        const std::int64_t rows = (plan.m + threads_.count() - 1) / threads_.count();
        return (rows + kMultiple - 1) / kMultiple * kMultiple;
    }

    std::vector<Piece> prepared(const ProductPlan& plan, std::int64_t rows) {
        std::vector<Piece> pieces;
        for (std::int64_t first = 0; first < plan.m; first += rows) {
            ProductPlan part = plan;
            part.m = std::min(rows, plan.m - first);
            pieces.push_back({first, part.m, Product(part, engine_)});
            for (Worker& worker : workers_)
                worker.scratch.get<std::byte>(
                    static_cast<std::int64_t>(pieces.back().product.scratch_bytes()));
        }
        return pieces;
    }

    Threads threads_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    std::vector<Worker> workers_;  ///< one a thread
    std::map<ProductPlan, std::vector<Piece>> plans_;
};

}  // namespace

int lanes_of_onednn_products() {
    switch (dnnl::get_effective_cpu_isa()) {
        case dnnl::cpu_isa::sse41:
            return 4;
        case dnnl::cpu_isa::avx:
        case dnnl::cpu_isa::avx2:
        case dnnl::cpu_isa::avx2_vnni:
            return 8;
        case dnnl::cpu_isa::avx512_core:
        case dnnl::cpu_isa::avx512_core_vnni:
        case dnnl::cpu_isa::avx512_core_bf16:
        case dnnl::cpu_isa::avx512_core_amx:
            return 16;
        default:
            return 0;
    }
}

std::unique_ptr<MatrixProducts> make_onednn_products(Threads threads) {
    auto products = std::make_unique<OneDnnProducts>(threads);
    if (products->has_fast_bfloat16()) return products;
    return make_widening_products(std::move(products), threads);
}

}  // namespace vae_dist
