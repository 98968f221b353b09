#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "data/hdf5/detail.hpp"
#include "data/hdf5/slab.hpp"
#include "data/hdf5/unstored.hpp"
#include "vae_dist/core/shape.hpp"

namespace vae_dist::hdf5::detail {

namespace {

// "part_%b.h5" stands for part_0.h5, part_1.h5 and so on, and "%%" for "%".
bool is_numbered(const std::string& name) {
    for (std::size_t i = 0; i + 1 < name.size(); ++i) {
        if (name[i] != '%') continue;
        if (name[i + 1] == 'b') return true;
        ++i;
    }
    return false;
}

// Searches one virtual dataset, and those that it is made of.
class GapSearch {
 public:
    GapSearch(const File& file, const std::string& dataset, SampleDimension samples, int depth)
        : depth_(depth),
          file_(file),
          dataset_(dataset),
          doing_(fmt::format("cannot read what '{}' is made of", locate(file, dataset))),
          opened_(open_dataset(file, dataset)),
          creation_(check(H5Dget_create_plist(opened_.get()), ErrorKind::input, doing_), H5Pclose),
          left_(check(H5Dget_space(opened_.get()), ErrorKind::input, doing_), H5Sclose),
          extent_(extent_of(left_.get())),
          dimension_(samples == SampleDimension::first ? 0 : extent_.size() - 1) {}

    std::optional<UnstoredRows> run() {
        check(H5Sselect_all(left_.get()), ErrorKind::input, doing_);
        std::size_t mappings = 0;
        check(H5Pget_virtual_count(creation_.get(), &mappings), ErrorKind::input, doing_);
        for (std::size_t i = 0; i < mappings; ++i)
            take_mapping(i);
        UnstoredRows found = {.of = static_cast<std::int64_t>(extent_[dimension_]),
                              .why = "have no dataset mapped to them, or one without such rows",
                              .why_one = "has no dataset mapped to it, or one without such a row"};
        const auto numbers = static_cast<std::int64_t>(H5Sget_select_npoints(left_.get()));
        if (numbers == 0) return std::nullopt;
        found.ranges = left_along(dimension_);
        found.in_part = numbers < found.count() * (numbers_of(extent_) / found.of);
        if (!found.in_part || extent_.size() != 2) return found;
        const std::vector<RowsIn> columns = left_along(1 - dimension_);
        if (numbers == found.count() * count_of(columns)) found.columns = columns;
        return found;
    }

 private:
    // Of a source: its shape, and its rows that are stored nowhere.
    struct Source {
        bool found = false;
        std::vector<std::int64_t> shape = {};
        std::optional<UnstoredRows> unstored = {};
    };

    void take_mapping(std::size_t index) {
        const Handle here(check(H5Pget_virtual_vspace(creation_.get(), index), ErrorKind::input, doing_),
                          H5Sclose);
        const Handle there(check(H5Pget_virtual_srcspace(creation_.get(), index), ErrorKind::input, doing_),
                           H5Sclose);
        const auto [source_file, source_dataset] = virtual_source_names(creation_.get(), index, doing_);
        std::vector<Slab> mapped = slabs_of(here.get(), doing_);
        if (is_numbered(source_file) || is_numbered(source_dataset)) {
            for (Slab& slab : mapped)
                take_numbered(slab, source_file, source_dataset);
            return;
        }
        const Source& source = look_at(number_pattern(source_file, 0), number_pattern(source_dataset, 0));
        const std::vector<Slab> wanted = slabs_of(there.get(), doing_);
        for (Slab& slab : mapped) {
            if (mapped.size() == 1 && wanted.size() == 1) limit_to(slab, wanted[0], source);
            if (!clip(slab, extent_) || reaches_beyond(wanted, source)) continue;
            if (!misses_rows(wanted, source)) {
                remove(slab);
            } else if (mapped.size() == 1 && wanted.size() == 1) {
                remove_stored(slab, wanted[0], source);
            }
        }
    }

    // One source for each block.
    void take_numbered(Slab slab, const std::string& source_file, const std::string& source_dataset) {
        if (!clip(slab, extent_)) return;
        std::size_t along = 0;
        while (along + 1 < slab.dimensions() && slab.count[along] == 1)
            ++along;
        const hsize_t blocks = slab.count[along];
        for (hsize_t i = 0; i < blocks; ++i) {
            Slab block = slab;
            block.start[along] += i * slab.stride[along];
            block.count[along] = 1;
            const Source& source = look_at(number_pattern(source_file, i), number_pattern(source_dataset, i));
            if (source.found && !source.unstored) remove(block);
        }
    }

    const Source& look_at(const std::string& source_file, const std::string& source_dataset) {
        const auto inserted = sources_.try_emplace({source_file, source_dataset});
        Source& found = inserted.first->second;
        if (!inserted.second) return found;
        const auto keep = [&](const File& file) {
            if (file.kind(source_dataset) != NodeKind::dataset) return;
            found = {true, file.info(source_dataset).shape,
                     find_unstored_rows(file, source_dataset, SampleDimension::first, depth_ + 1)};
        };
        if (source_file == ".") {
            keep(file_);
        } else if (const std::optional<File> source = open_virtual_source(file_, dataset_, source_file)) {
            keep(*source);
        }
        return found;
    }

    // A mapping without a limit goes as far as its source does.
    static void limit_to(Slab& slab, const Slab& wanted, const Source& source) {
        for (std::size_t d = 0; d < wanted.dimensions() && d < source.shape.size(); ++d) {
            const bool endless = wanted.block[d] == kUnlimited ||
                                 (wanted.count[d] == kUnlimited && wanted.stride[d] == wanted.block[d]);
            if (!endless) continue;
            const auto size = static_cast<hsize_t>(source.shape[d]);
            const hsize_t length = size > wanted.start[d] ? size - wanted.start[d] : 0;
            for (std::size_t e = 0; e < slab.dimensions(); ++e) {
                const bool whole = slab.block[e] == kUnlimited ||
                                   (slab.count[e] == kUnlimited && slab.stride[e] == slab.block[e]);
                if (!whole || length == 0) continue;
                slab.block[e] = length;
                slab.stride[e] = length;
                slab.count[e] = 1;
            }
        }
    }

    // Whether numbers that are mapped are not there in the source.
    static bool reaches_beyond(const std::vector<Slab>& wanted, const Source& source) {
        const std::vector<hsize_t> shape(source.shape.begin(), source.shape.end());
        for (Slab there : wanted) {
            if (there.dimensions() != shape.size()) continue;
            if (!clip(there, shape)) return true;
            for (std::size_t d = 0; d < shape.size(); ++d) {
                if (there.end(d) > shape[d]) return true;
            }
        }
        return false;
    }

    // Whether, between the first and the last row that is mapped, some are stored nowhere.
    static bool misses_rows(const std::vector<Slab>& wanted, const Source& source) {
        if (!source.unstored) return false;
        const std::vector<hsize_t> shape(source.shape.begin(), source.shape.end());
        return std::any_of(wanted.begin(), wanted.end(), [&](Slab there) {
            if (there.dimensions() != shape.size() || !clip(there, shape)) return false;
            const auto& ranges = source.unstored->ranges;
            return std::any_of(ranges.begin(), ranges.end(), [&](const RowsIn& range) {
                return static_cast<hsize_t>(range.first) < there.end(0) &&
                       static_cast<hsize_t>(range.end) > there.start[0];
            });
        });
    }

    // Of a mapping of rows to as many rows of the source, those that are stored there; of another one none.
    void remove_stored(Slab slab, Slab there, const Source& source) {
        const std::vector<hsize_t> shape(source.shape.begin(), source.shape.end());
        if (there.dimensions() != shape.size() || !clip(there, shape)) return;
        join_blocks(slab);
        join_blocks(there);
        if (slab.count[0] != there.count[0] || slab.block[0] != there.block[0]) return;
        Slab run = slab;
        run.count[0] = run.stride[0] = 1;
        for (hsize_t i = 0; i < there.count[0]; ++i) {
            const hsize_t first = there.start[0] + i * there.stride[0];
            for (hsize_t row = first; row < first + there.block[0];) {
                const hsize_t end = std::min(first + there.block[0], end_of_alike(row, *source.unstored));
                run.start[0] = slab.start[0] + i * slab.stride[0] + (row - first);
                run.block[0] = run.stride[0] = end - row;
                if (!is_unstored(row, *source.unstored)) remove(run);
                row = end;
            }
        }
    }

    static bool is_unstored(hsize_t row, const UnstoredRows& unstored) {
        const auto number = static_cast<std::int64_t>(row);
        return std::any_of(unstored.ranges.begin(), unstored.ranges.end(),
                           [&](const RowsIn& range) { return number >= range.first && number < range.end; });
    }

    // The first row after `row` that is stored where that is not, or the other way round.
    static hsize_t end_of_alike(hsize_t row, const UnstoredRows& unstored) {
        const auto number = static_cast<std::int64_t>(row);
        for (const RowsIn& range : unstored.ranges) {
            if (number < range.first) return static_cast<hsize_t>(range.first);
            if (number < range.end) return static_cast<hsize_t>(range.end);
        }
        return kUnlimited;
    }

    void remove(const Slab& slab) {
        for (std::size_t d = 0; d < slab.dimensions(); ++d) {
            if (slab.start[d] >= extent_[d]) return;
        }
        check(H5Sselect_hyperslab(left_.get(), H5S_SELECT_NOTB, slab.start.data(), slab.stride.data(),
                                  slab.count.data(), slab.block.data()),
              ErrorKind::input, doing_);
    }

    static std::int64_t numbers_of(const std::vector<hsize_t>& extent) {
        return element_count(std::vector<std::int64_t>(extent.begin(), extent.end()));
    }

    std::vector<RowsIn> left_along(std::size_t dimension) const {
        std::vector<RowsIn> rows;
        for (const Slab& slab : slabs_of(left_.get(), doing_)) {
            for (hsize_t i = 0; i < slab.count[dimension]; ++i) {
                const hsize_t first = slab.start[dimension] + i * slab.stride[dimension];
                rows.push_back({static_cast<std::int64_t>(first),
                                static_cast<std::int64_t>(first + slab.block[dimension])});
            }
        }
        return joined(std::move(rows));
    }

    static std::vector<RowsIn> joined(std::vector<RowsIn> rows) {
        std::sort(rows.begin(), rows.end(),
                  [](const RowsIn& a, const RowsIn& b) { return a.first < b.first; });
        std::vector<RowsIn> found;
        for (const RowsIn& range : rows) {
            if (!found.empty() && range.first <= found.back().end) {
                found.back().end = std::max(found.back().end, range.end);
            } else {
                found.push_back(range);
            }
        }
        return found;
    }

    int depth_;
    const File& file_;
    const std::string& dataset_;
    std::string doing_;
    Handle opened_;
    Handle creation_;
    Handle left_;  // selects what no mapping has covered so far
    std::vector<hsize_t> extent_;
    std::size_t dimension_;
    std::map<std::pair<std::string, std::string>, Source> sources_;
};

}  // namespace

std::optional<UnstoredRows> find_unmapped_rows(const File& file, const std::string& dataset,
                                               SampleDimension samples, int depth) {
    constexpr int kDeepest = 16;
    if (depth > kDeepest) return std::nullopt;
    return GapSearch(file, dataset, samples, depth).run();
}

}  // namespace vae_dist::hdf5::detail
