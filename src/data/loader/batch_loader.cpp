#include "vae_dist/data/loader/batch_loader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "data/loader/loader_memory.hpp"
#include "data/loader/resident_rows.hpp"
#include "data/loader/shard_cursor.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/text.hpp"

namespace vae_dist {
namespace {

/// The current exception, where it says that memory is out as an error that says what it was wanted for.
std::exception_ptr current_error(const RowSource& source) {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return std::make_exception_ptr(
            Error(ErrorKind::failure,
                  fmt::format(
                      "out of memory while reading {}; use a smaller data.shuffle_window, data.cache stream, "
                      "or more ranks",
                      source.description())));
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace

void add_passes(const Slice& slice, std::int64_t rows, std::vector<Slice>& to) {
    const std::size_t all = slice.rows.size();
    const auto most = static_cast<std::size_t>(rows);
    for (std::size_t first = 0; first < all;) {
        const std::size_t count = std::min(most, all - first);
        to.push_back(slice.part(first, count));
        first += count;
    }
}

/// The thread that reads, and the ring of batches between it and the user: slots [released_, produced_) are
/// filled, the first of them is in the user's hands where `lent_`.
class BatchLoader::Reader {
 public:
    Reader(std::unique_ptr<RowSource> source, const EpochPlan& plan, const BatchLoaderOptions& options,
           std::int64_t epoch, std::int64_t first_sample)
        : plan_(plan), options_(options), rows_(std::move(source), options.scale, options.allowed) {
        require(rows_.source().rows() == plan.samples(), "the plan was made of the source's blocks");
        require(options.batch_size > 0 && options.rows_a_pass > 0 && options.batches_ahead > 0,
                "batches and passes have samples, and batches are read ahead");
        if (first_sample == plan.samples()) {
            first_sample = 0;
            ++epoch;
        }
        require(first_sample >= 0 && first_sample < plan.samples() && first_sample % options.batch_size == 0,
                "a loader starts at the beginning of a batch");
        epoch_ = epoch;
        first_sample_ = first_sample;
        try {
            refuse_what_cannot_fit(plan, rows_.source(), options);
            resident_ = std::make_unique<ResidentRows>(rows_, plan, options);
            make_cursors();
            make_slots();
        } catch (const std::bad_alloc&) {
            std::rethrow_exception(current_error(rows_.source()));
        }
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }

    Batch current() {
        const std::scoped_lock lock(mutex_);
        return lent_ ? slot(released_).batch : Batch{};
    }

    LoaderWork work() {
        const std::scoped_lock lock(mutex_);
        return work_;
    }

    const Batch& next() {
        std::unique_lock lock(mutex_);
        if (lent_ && !slot(released_).error) {
            ++released_;
            lent_ = false;
            changed_.notify_all();
        }
        changed_.wait(lock, [&] { return produced_ > released_; });
        lent_ = true;
        const Slot& ready = slot(released_);
        if (ready.error) std::rethrow_exception(ready.error);
        return ready.batch;
    }

 private:
    /// The memory of one batch, used again and again.
    struct Slot {
        Batch batch;
        std::vector<Slice> slices;
        std::vector<Slice> passes;
        std::vector<std::byte> raw;
        std::vector<std::int64_t> rows;
        std::exception_ptr error;  // instead of the batch
    };

    Slot& slot(std::size_t number) { return slots_[number % slots_.size()]; }

    void make_cursors() {
        for (std::int64_t v = options_.mine.first; v < options_.mine.first + options_.mine.count; ++v) {
            cursors_.emplace_back(plan_, v, rows_, resident_->table(), epoch_,
                                  dealt_to(first_sample_, v, plan_.virtual_ranks()));
        }
    }

    void make_slots() {
        slots_.resize(static_cast<std::size_t>(batches_ahead(plan_, rows_.source(), options_)) + 1);
        const auto most = static_cast<std::size_t>(most_rows_of_a_batch(plan_, options_));
        // Each slice has one pass that may be smaller than the others.
        const std::size_t most_passes =
            most / static_cast<std::size_t>(options_.rows_a_pass) + cursors_.size();
        for (Slot& each : slots_) {
            each.slices.resize(cursors_.size());
            each.passes.reserve(most_passes);
            each.rows.resize(most);
            each.raw.resize(most * rows_.source().row_bytes());
        }
    }

    void run(const std::stop_token& stop) {
        bool go_on = true;
        while (go_on) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [&] { return produced_ - released_ < slots_.size(); });
            if (stop.stop_requested()) return;
            Slot& free_slot = slot(produced_);
            lock.unlock();
            const auto begun = std::chrono::steady_clock::now();
            try {
                if (!fill(free_slot, stop)) return;
            } catch (...) {
                free_slot.error = current_error(rows_.source());
            }
            const bool failed = free_slot.error != nullptr;
            lock.lock();
            ++produced_;
            changed_.notify_all();
            if (failed) return;
            lock.unlock();
            // Only now: no thread waits for this batch any longer.
            for (ShardCursor& cursor : cursors_)
                go_on = go_on && cursor.read_ahead(stop);
            note_work(free_slot.batch, begun);
        }
    }

    /// The caller may have the batch already; it only reads the batch.
    void note_work(const Batch& batch, std::chrono::steady_clock::time_point begun) {
        const std::chrono::duration<double> busy = std::chrono::steady_clock::now() - begun;
        const std::scoped_lock lock(mutex_);
        ++work_.batches;
        work_.seconds += busy.count();
        for (const Slice& slice : batch.slices)
            work_.samples += std::ssize(slice.rows);
    }

    /// Puts the next batch into `to`; false if it was stopped on the way.
    bool fill(Slot& to, const std::stop_token& stop) {
        const std::int64_t samples = std::min(options_.batch_size, plan_.samples() - first_sample_);
        const std::size_t row_bytes = rows_.source().row_bytes();
        std::size_t used = 0;
        to.passes.clear();
        for (std::size_t i = 0; i < cursors_.size(); ++i) {
            const std::int64_t v = options_.mine.first + static_cast<std::int64_t>(i);
            const std::int64_t count = dealt_to(first_sample_ + samples, v, plan_.virtual_ranks()) -
                                       dealt_to(first_sample_, v, plan_.virtual_ranks());
            std::byte* raw = to.raw.data() + used * row_bytes;
            std::int64_t* rows = to.rows.data() + used;
            if (!cursors_[i].copy_next(count, raw, rows, stop)) return false;
            const auto length = static_cast<std::size_t>(count);
            to.slices[i] = {v, {raw, length * row_bytes}, {rows, length}};
            add_passes(to.slices[i], options_.rows_a_pass, to.passes);
            used += length;
        }
        to.batch = {epoch_, first_sample_, samples, to.slices, to.passes};
        first_sample_ += samples;
        if (first_sample_ == plan_.samples()) {
            first_sample_ = 0;
            ++epoch_;
        }
        return true;
    }

    const EpochPlan& plan_;
    BatchLoaderOptions options_;
    CheckedReader rows_;
    std::unique_ptr<ResidentRows> resident_;
    std::vector<ShardCursor> cursors_;
    std::int64_t epoch_ = 0;         // of the batch to read next
    std::int64_t first_sample_ = 0;  // of the batch to read next

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Slot> slots_;
    std::size_t produced_ = 0;
    std::size_t released_ = 0;
    bool lent_ = false;
    LoaderWork work_;
    std::jthread thread_;  // last: it ends before what it uses
};

BatchLoader::BatchLoader(std::unique_ptr<RowSource> source, const EpochPlan& plan,
                         const BatchLoaderOptions& options, std::int64_t epoch, std::int64_t first_sample)
    : reader_(std::make_unique<Reader>(std::move(source), plan, options, epoch, first_sample)) {}

BatchLoader::~BatchLoader() = default;

const Batch& BatchLoader::next() {
    return reader_->next();
}

Batch BatchLoader::current() const {
    return reader_->current();
}

LoaderWork BatchLoader::work() const {
    return reader_->work();
}

}  // namespace vae_dist
