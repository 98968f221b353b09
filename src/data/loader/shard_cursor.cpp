#include "data/loader/shard_cursor.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vae_dist {

ShardCursor::ShardCursor(const EpochPlan& plan, std::int64_t virtual_rank, CheckedReader& rows,
                         const RowTable& resident, std::int64_t epoch, std::int64_t visited)
    : plan_(plan),
      virtual_rank_(virtual_rank),
      rows_(rows),
      resident_(resident),
      row_bytes_(rows.source().row_bytes()) {
    begin_epoch(epoch);
    while (window_ < windows_.size() && visited >= total_rows(windows_[window_])) {
        visited -= total_rows(windows_[window_]);
        ++window_;
    }
    plan_next_window();
    advance();
    served_ = visited;
}

void ShardCursor::begin_epoch(std::int64_t epoch) {
    epoch_ = epoch;
    windows_ = plan_.windows(virtual_rank_, epoch);
    window_ = 0;
}

void ShardCursor::plan_next_window() {
    if (window_ == windows_.size()) begin_epoch(epoch_ + 1);
    next_.pieces = std::move(windows_[window_]);
    next_.order = plan_.window_order(virtual_rank_, epoch_, static_cast<std::int64_t>(window_), next_.pieces);
    std::sort(next_.pieces.begin(), next_.pieces.end(),
              [](const RowRange& a, const RowRange& b) { return a.first < b.first; });
    next_.pieces_read = 0;
    next_.rows_read = 0;
    next_.bytes_used = 0;
    next_.table.clear();
    next_.error = nullptr;
    ++window_;
}

void ShardCursor::advance() {
    std::swap(now_, next_);
    served_ = 0;
    plan_next_window();
}

bool ShardCursor::copy_next(std::int64_t count, std::byte* raw, std::int64_t* numbers,
                            const std::stop_token& stop) {
    while (count > 0) {
        if (served_ == now_.rows()) advance();
        if (!read_until(now_, now_.rows(), stop)) return false;
        if (now_.error) std::rethrow_exception(now_.error);
        const std::int64_t here = std::min(count, now_.rows() - served_);
        for (std::int64_t i = 0; i < here; ++i, raw += row_bytes_) {
            const std::int64_t row = now_.order[static_cast<std::size_t>(served_ + i)];
            std::memcpy(raw, now_.table.find(row, row_bytes_), row_bytes_);
            *numbers++ = row;
        }
        served_ += here;
        count -= here;
    }
    return true;
}

bool ShardCursor::read_ahead(const std::stop_token& stop) {
    const double fraction = static_cast<double>(served_) / static_cast<double>(now_.rows());
    return read_until(next_, static_cast<std::int64_t>(fraction * static_cast<double>(next_.rows())), stop);
}

bool ShardCursor::read_until(Window& window, std::int64_t rows, const std::stop_token& stop) {
    while (window.rows_read < rows && !window.error) {
        if (stop.stop_requested()) return false;
        try {
            read_piece(window, window.pieces[window.pieces_read]);
        } catch (...) {
            window.error = std::current_exception();
        }
    }
    return true;
}

void ShardCursor::read_piece(Window& window, const RowRange& piece) {
    const std::byte* data = resident_.find(piece.first, row_bytes_);
    if (data == nullptr) {
        if (!window.bytes) {
            const auto most = static_cast<std::size_t>(plan_.largest_window(virtual_rank_));
            window.bytes = std::make_unique_for_overwrite<std::byte[]>(most * row_bytes_);
        }
        std::byte* to = window.bytes.get() + window.bytes_used;
        rows_.read(piece, to);
        window.bytes_used += static_cast<std::size_t>(piece.rows) * row_bytes_;
        data = to;
    }
    window.table.add(piece, data);
    window.rows_read += piece.rows;
    ++window.pieces_read;
}

}  // namespace vae_dist
