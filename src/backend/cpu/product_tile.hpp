#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

// Vectors as arguments of templates: GCC warns that their alignment is not part of the type. No caller
// needs it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace vae_dist::product_tile {

// The innermost part of a matrix product c = a b: a tile of c stays in registers while the common dimension
// runs. Each element of c is one chain, c = bias, then c = fma(a(i, k), b(k, j), c) for k = 0, 1, ...: its
// bits do not depend on the tile in which it is computed, nor on where the common dimension is cut, for c is
// exact in memory meanwhile.

// Eigen's name for what it uses of each processor's vector instructions.
using Vector = Eigen::internal::packet_traits<float>::type;
constexpr std::int64_t kLanes = Eigen::internal::packet_traits<float>::size;

// Accumulators, a row of b and an element of a fill the registers.
constexpr std::int64_t kVectors = 2;
constexpr std::int64_t kColumns = kVectors * kLanes;
constexpr std::int64_t kRows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 12 : 6;

/// A factor as it lies in memory: element (i, k) is data[i * row_step + k * column_step].
struct Elements {
    const float* data;
    std::int64_t row_step, column_step;

    const float* at(std::int64_t i, std::int64_t k) const { return data + i * row_step + k * column_step; }
};

/// What one call of a tile does.
struct Tile {
    Elements a;      ///< (rows, depth)
    const float* b;  ///< a panel (depth, kColumns)
    std::int64_t depth;
    float* c;  ///< (rows, columns)
    std::int64_t c_stride;
    bool begins;        ///< the chains: from the bias, or zero, instead of c
    const float* bias;  ///< (columns), or null
};

// Loops over registers are written out, and their bodies inlined, or the accumulators would lie in memory.
#define VAE_DIST_INLINE __attribute__((always_inline))
template <std::int64_t kCount, class Body>
[[gnu::always_inline]] inline void each(Body&& body) {
    [&]<std::int64_t... i>(std::integer_sequence<std::int64_t, i...>) VAE_DIST_INLINE {
        (body(std::integral_constant<std::int64_t, i>()), ...);
    }
    (std::make_integer_sequence<std::int64_t, kCount>());
}

template <std::int64_t kTileRows, std::int64_t kTileVectors>
[[gnu::always_inline]] inline void add_products(const Tile& tile, std::int64_t row_step,
                                                std::int64_t column_step) {
    namespace simd = Eigen::internal;
    Vector sums[kTileRows][kTileVectors];
    each<kTileRows>([&](auto r) VAE_DIST_INLINE {
        each<kTileVectors>([&](auto v) VAE_DIST_INLINE {
            const std::int64_t first = v * kLanes;
            if (!tile.begins) {
                sums[r][v] = simd::ploadu<Vector>(tile.c + r * tile.c_stride + first);
            } else if (tile.bias != nullptr) {
                sums[r][v] = simd::ploadu<Vector>(tile.bias + first);
            } else {
                sums[r][v] = simd::pset1<Vector>(0.0F);
            }
        });
    });
    const float* a = tile.a.data;
    const float* b = tile.b;
    for (std::int64_t k = 0; k < tile.depth; ++k, a += column_step, b += kColumns) {
        Vector row[kTileVectors];
        each<kTileVectors>([&](auto v) VAE_DIST_INLINE { row[v] = simd::pload<Vector>(b + v * kLanes); });
        each<kTileRows>([&](auto r) VAE_DIST_INLINE {
            const Vector factor = simd::pset1<Vector>(a[r * row_step]);
            each<kTileVectors>([&](auto v)
                                   VAE_DIST_INLINE { sums[r][v] = simd::pmadd(factor, row[v], sums[r][v]); });
        });
    }
    each<kTileRows>([&](auto r) VAE_DIST_INLINE {
        each<kTileVectors>([&](auto v) VAE_DIST_INLINE {
            simd::pstoreu(tile.c + r * tile.c_stride + v * kLanes, sums[r][v]);
        });
    });
}

#undef VAE_DIST_INLINE

// A step that is known makes addresses part of the instructions.
template <std::int64_t kTileRows, std::int64_t kTileVectors>
void run_tile(const Tile& tile) {
    if (tile.a.column_step == 1) {
        add_products<kTileRows, kTileVectors>(tile, tile.a.row_step, 1);
    } else {
        add_products<kTileRows, kTileVectors>(tile, 1, kTileRows);
    }
}

template <std::int64_t kTileVectors>
void run_tile_of(const Tile& tile, std::int64_t rows) {
    constexpr auto kTiles = []<std::int64_t... i>(std::integer_sequence<std::int64_t, i...>) {
        return std::array{&run_tile<i + 1, kTileVectors>...};
    }
    (std::make_integer_sequence<std::int64_t, kRows>());
    kTiles[static_cast<std::size_t>(rows - 1)](tile);
}

/// Computes a tile of `rows` rows, 1 to kRows, and kColumns or kLanes columns. The steps of a are either
/// (any, 1), or (1, rows).
inline void run(const Tile& tile, std::int64_t rows, std::int64_t columns) {
    static_assert(kVectors == 2);
    columns == kLanes ? run_tile_of<1>(tile, rows) : run_tile_of<kVectors>(tile, rows);
}

/// Copies rows of a into panels of kRows rows, whose elements of one k lie together: panel p begins at
/// p * kRows * depth, and the last one may have fewer rows.
inline void pack_rows(const Elements& a, std::int64_t rows, std::int64_t depth, float* to) {
    for (std::int64_t first = 0; first < rows; first += kRows) {
        const std::int64_t count = std::min(kRows, rows - first);
        for (std::int64_t k = 0; k < depth; ++k, to += count) {
            for (std::int64_t i = 0; i < count; ++i)
                to[i] = *a.at(first + i, k);
        }
    }
}

/// Copies `columns` columns of b, at most kColumns, into a panel (depth, kColumns), filled up with zeros. In
/// memory, elements of one row or of one column of b lie side by side.
inline void pack_columns(const Elements& b, std::int64_t depth, std::int64_t columns, float* to) {
    namespace simd = Eigen::internal;
    if (b.column_step == 1 && columns == kColumns) {
        for (std::int64_t k = 0; k < depth; ++k) {
            for (std::int64_t j = 0; j < kColumns; j += kLanes)
                simd::pstore(to + k * kColumns + j, simd::ploadu<Vector>(b.at(k, j)));
        }
        return;
    }
    std::int64_t j = 0;
    if (b.row_step == 1) {
        for (; j + kLanes <= columns; j += kLanes) {
            std::int64_t k = 0;
            for (; k + kLanes <= depth; k += kLanes) {
                simd::PacketBlock<Vector, kLanes> square;
                for (std::int64_t i = 0; i < kLanes; ++i)
                    square.packet[i] = simd::ploadu<Vector>(b.at(k, j + i));
                simd::ptranspose(square);
                for (std::int64_t i = 0; i < kLanes; ++i)
                    simd::pstore(to + (k + i) * kColumns + j, square.packet[i]);
            }
            for (; k < depth; ++k) {
                for (std::int64_t i = 0; i < kLanes; ++i)
                    to[k * kColumns + j + i] = *b.at(k, j + i);
            }
        }
    }
    for (std::int64_t k = 0; k < depth; ++k) {
        for (std::int64_t i = j; i < kColumns; ++i)
            to[k * kColumns + i] = i < columns ? *b.at(k, i) : 0.0F;
    }
}

}  // namespace vae_dist::product_tile

#pragma GCC diagnostic pop
