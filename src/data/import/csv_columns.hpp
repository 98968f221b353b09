#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vae_dist {

/// Which columns of a table to take: "age,height", "1,3-5", or all but some, "not:id,7". Items are names,
/// numbers from 1 on and ranges of them. In quotes ("2", "a,b") an item is a name whatever it looks like.
class CsvColumns {
 public:
    /// All columns.
    CsvColumns() = default;
    /// Throws an input error for text that is not such a list, and for an empty one.
    explicit CsvColumns(const std::string& text);

    bool all() const { return items_.empty(); }
    /// Whether some item can only be a name: then the table must have a header.
    bool has_names() const;

    /// Positions from 0 on among `count` columns: those chosen, in the order of the list, or those that are
    /// left, in the order of the table. `names` is {} for a table without a header. Throws an input error for
    /// a column that there is not, one that is named twice, a number that is another column's name, and where
    /// none is left.
    std::vector<std::int64_t> positions(std::int64_t count, const std::vector<std::string>& names) const;

 private:
    struct Item {
        std::string name;        ///< as it was written, without quotes
        std::int64_t first = 0;  ///< from 1; 0: it is a name
        std::int64_t last = 0;
    };

    static Item parse_item(const std::string& text, bool quoted);
    std::vector<std::int64_t> positions_of(const Item& item, std::int64_t count,
                                           const std::vector<std::string>& names) const;

    bool without_ = false;  ///< "not:"
    std::vector<Item> items_;
};

}  // namespace vae_dist
