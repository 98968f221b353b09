#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stop_token>
#include <vector>

#include "data/loader/resident_rows.hpp"

namespace vae_dist {

/// Walks through the samples of one virtual rank in the order of the plan, epoch after epoch. Holds two
/// shuffle windows: one is served while the next is read, in step with it, so that no batch waits for a whole
/// window.
class ShardCursor {
 public:
    /// Starts at the sample with number `visited` of the shard in `epoch`; reads nothing yet. The references
    /// must outlive the cursor; rows in `resident` are not read again.
    ShardCursor(const EpochPlan& plan, std::int64_t virtual_rank, CheckedReader& rows,
                const RowTable& resident, std::int64_t epoch, std::int64_t visited);

    /// Copies the next `count` samples to `raw`, and their row numbers to `numbers`. Returns false if it was
    /// stopped before that. Throws what reading their window threw.
    bool copy_next(std::int64_t count, std::byte* raw, std::int64_t* numbers, const std::stop_token& stop);

    /// To be called after each copy_next: reads as much of the next window as has been served of this one.
    /// Returns false if it was stopped before that. Errors wait for that window's turn.
    bool read_ahead(const std::stop_token& stop);

 private:
    struct Window {
        std::vector<std::int64_t> order;  // row numbers as they are visited
        std::vector<RowRange> pieces;  // in row order, so that a file is read from its beginning to its end
        std::size_t pieces_read = 0;
        std::int64_t rows_read = 0;
        std::unique_ptr<std::byte[]> bytes;  // of the pieces that are not resident; room for any window
        std::size_t bytes_used = 0;
        RowTable table;
        std::exception_ptr error;  // of reading ahead; thrown when the window's turn has come

        std::int64_t rows() const { return static_cast<std::int64_t>(order.size()); }
    };

    void begin_epoch(std::int64_t epoch);
    void plan_next_window();
    void advance();
    bool read_until(Window& window, std::int64_t rows, const std::stop_token& stop);
    void read_piece(Window& window, const RowRange& piece);

    const EpochPlan& plan_;
    std::int64_t virtual_rank_;
    CheckedReader& rows_;
    const RowTable& resident_;
    std::size_t row_bytes_;
    std::int64_t epoch_ = 0;                      // of the window to plan next
    std::vector<std::vector<RowRange>> windows_;  // of that epoch
    std::size_t window_ = 0;                      // to plan next
    Window now_;
    Window next_;
    std::int64_t served_ = 0;  // samples of now_
};

}  // namespace vae_dist
