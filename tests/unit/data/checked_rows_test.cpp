#include "vae_dist/data/rows/checked_rows.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "unit/data/data_files.hpp"

namespace vae_dist {
namespace {

class CheckedRowsTest : public testing::Test {
 protected:
    CheckedRows open(const std::vector<std::uint8_t>& values, double scale = 1.0 / 10) {
        write_rows(folder_.file("a.h5"), "x", ElementType::uint8, 2, values);
        return {open_hdf5_rows({.files = {folder_.file("a.h5")}, .dataset = "x"}), scale,
                ValueRange{0, 1, "a test needs it"}};
    }

    TemporaryFolder folder_;
};

TEST_F(CheckedRowsTest, AnyRangeIsReadAsOneSlice) {
    CheckedRows rows = open({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10});
    EXPECT_EQ(rows.source().rows(), 6);
    for (const RowRange range : {RowRange{3, 3}, RowRange{0, 1}, RowRange{1, 4}}) {
        const Slice slice = rows.read(range);
        ASSERT_EQ(static_cast<std::int64_t>(slice.rows.size()), range.rows);
        ASSERT_EQ(slice.raw.size(), slice.rows.size() * 2);
        for (std::size_t i = 0; i < slice.rows.size(); ++i) {
            EXPECT_EQ(slice.rows[i], range.first + static_cast<std::int64_t>(i));
            EXPECT_EQ(element_at<std::uint8_t>(slice.raw.data(), 2 * i), slice.rows[i] * 2);
        }
    }
}

TEST_F(CheckedRowsTest, AValueThatIsNotAllowedIsNamedWhenItsRowIsRead) {
    CheckedRows rows = open({0, 1, 2, 3, 4, 11, 6, 7});
    EXPECT_NO_THROW(rows.read({0, 2}));
    EXPECT_NO_THROW(rows.read({3, 1}));
    expect_error(ErrorKind::input, {"a.h5:x row 2", "1.1", "a test needs it"}, [&] { rows.read({1, 3}); });
}

}  // namespace
}  // namespace vae_dist
