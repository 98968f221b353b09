#include "vae_dist/train/record/data_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "vae_dist/core/checksum.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {

namespace {

// As long a text as fits into a checkpoint's attribute, however many files there are.
std::string names_of(const std::vector<SourceFile>& files) {
    constexpr std::size_t kMostNamed = 8;
    std::vector<std::string> names;
    std::uint32_t sum = 0;
    for (const SourceFile& file : files) {
        names.push_back(file.name);
        sum = crc32_of(std::as_bytes(std::span(file.name.c_str(), file.name.size() + 1)), sum);
    }
    const std::string text = format_list(names, kMostNamed);
    return names.size() <= kMostNamed ? text : fmt::format("{} (CRC-32 of all names {:08x})", text, sum);
}

}  // namespace

std::vector<std::int64_t> sampled_rows(const RowSource& data) {
    constexpr std::int64_t kMost = 64;
    constexpr std::int64_t kLeast = 3;
    constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
    std::int64_t longest = 1;  // rows that are read for one of them
    for (const RowRange& block : data.blocks())
        longest = std::max(longest, block.rows);
    const auto row_bytes = std::max<std::int64_t>(static_cast<std::int64_t>(data.row_bytes()), 1);
    const std::int64_t affordable = std::clamp(kMostBytes / row_bytes / longest, kLeast, kMost);
    const std::int64_t count = std::min(affordable, data.rows());
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < count; ++i)
        rows.push_back(count == 1 ? 0 : i * (data.rows() - 1) / (count - 1));
    return rows;
}

DatasetIdentity identity_of(RowSource& data) {
    std::vector<std::byte> row(data.row_bytes());
    std::uint32_t sum = 0;
    const std::vector<std::int64_t> rows = sampled_rows(data);
    for (const std::int64_t number : rows) {
        data.read(number, 1, row.data());
        sum = crc32_of(row, sum);
    }
    return {.files = names_of(data.files()),
            .form = fmt::format("{} samples of {}", data.rows(), form_of(data)),
            .sample = fmt::format("{} samples, CRC-32 {:08x}", rows.size(), sum)};
}

DataIdentity identity_of(const Config& config, RowSource& train) {
    DataIdentity identity;
    if (config.data.train) identity.train = identity_of(train);
    if (config.data.validation) identity.validation = identity_of(*open_validation_rows(config));
    return identity;
}

}  // namespace vae_dist
