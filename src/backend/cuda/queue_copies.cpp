#include <algorithm>
#include <cstring>

#include "backend/cuda/queue.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

// Uploads and copies, by way of pinned memory.

namespace {

constexpr std::size_t kAlignment = 256;
/// Slots that stay where none is in use: as many uploads may be on their way before `upload` waits.
constexpr std::size_t kSlots = 8;
/// Of copies that go through pinned memory.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

std::size_t aligned(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::vector<const std::byte*> Queue::upload(std::initializer_list<std::span<const std::byte>> arrays) {
    if (mode_ == Mode::direct) mark_used_slots();
    std::size_t bytes = 0;
    for (const auto& array : arrays)
        bytes += aligned(array.size());
    std::vector<const std::byte*> there(arrays.size(), nullptr);
    if (bytes == 0) return there;
    Slot& slot = free_slot(bytes);
    if (slot.device == nullptr) {
        void* memory = nullptr;
        check_cuda(cudaMalloc(&memory, slot.bytes), "cudaMalloc");
        slot.device = static_cast<std::byte*>(memory);
    }
    std::size_t offset = 0;
    std::size_t i = 0;
    for (const auto& array : arrays) {
        if (!array.empty()) std::memcpy(slot.host + offset, array.data(), array.size());
        there[i++] = slot.device + offset;
        offset += aligned(array.size());
    }
    check_cuda(cudaMemcpyAsync(slot.device, slot.host, bytes, cudaMemcpyHostToDevice, copies_.get()),
               "cudaMemcpyAsync");
    check_cuda(cudaEventRecord(slot.copied.get(), copies_.get()), "cudaEventRecord");
    if (mode_ == Mode::direct) {
        wait_for(slot.copied.get());
    } else {
        last_upload_ = slot.copied.get();
    }
    in_use_.push_back(&slot);
    return there;
}

void Queue::copy_in(std::byte* to, std::span<const std::byte> from) {
    require(mode_ == Mode::direct, "nothing is copied in within what is repeated");
    while (!from.empty()) {
        mark_used_slots();
        const std::size_t bytes = std::min(from.size(), kPieceBytes);
        Slot& slot = free_slot(bytes);
        std::memcpy(slot.host, from.data(), bytes);
        check_cuda(cudaMemcpyAsync(to, slot.host, bytes, cudaMemcpyHostToDevice, stream()),
                   "cudaMemcpyAsync");
        in_use_.push_back(&slot);
        from = from.subspan(bytes);
        to += bytes;
    }
}

// The next piece travels while the one before is copied on.
void Queue::copy_out(std::span<std::byte> to, const std::byte* from) {
    require(mode_ == Mode::direct, "nothing is copied out within what is repeated");
    struct Piece {
        Slot* slot;
        Mark here;
        std::span<std::byte> to;
    };
    std::deque<Piece> pieces;
    const auto finish_first = [&] {
        wait(pieces.front().here);
        const Piece piece = pieces.front();
        std::memcpy(piece.to.data(), piece.slot->host, piece.to.size());
        std::erase(in_use_, piece.slot);
        piece.slot->used = 0;  // and is free at once
        idle_.push_front(piece.slot);
        pieces.pop_front();
    };
    mark_used_slots();
    while (!to.empty()) {
        const std::size_t bytes = std::min(to.size(), kPieceBytes);
        Slot& slot = free_slot(bytes);
        check_cuda(cudaMemcpyAsync(slot.host, from, bytes, cudaMemcpyDeviceToHost, stream()),
                   "cudaMemcpyAsync");
        in_use_.push_back(&slot);
        pieces.push_back({&slot, mark(), to.first(bytes)});
        if (pieces.size() == 2) finish_first();
        to = to.subspan(bytes);
        from += bytes;
    }
    while (!pieces.empty())
        finish_first();
}

// The first free one that is large enough; else one is made, or made larger. It belongs to the caller.
Queue::Slot& Queue::free_slot(std::size_t bytes) {
    const auto take = [&](std::deque<Slot*>::iterator which) -> Slot& {
        Slot& slot = **which;
        idle_.erase(which);
        if (slot.bytes < bytes) allocate(slot, bytes);
        return slot;
    };
    for (auto slot = idle_.begin(); slot != idle_.end() && has_passed((*slot)->used); ++slot)
        if ((*slot)->bytes >= bytes) return take(slot);
    if (idle_.size() >= kSlots) {
        wait(idle_.front()->used);
        return take(idle_.begin());
    }
    Slot& slot = slots_.emplace_back();
    slot.copied = make_event();
    allocate(slot, bytes);
    return slot;
}

void Queue::allocate(Slot& slot, std::size_t bytes) {
    release(slot);
    slot.host = nullptr;
    slot.device = nullptr;
    slot.bytes = 0;
    const std::size_t whole = aligned(bytes);
    void* memory = nullptr;
    check_cuda(cudaMallocHost(&memory, whole), "cudaMallocHost");
    slot.host = static_cast<std::byte*>(memory);
    slot.bytes = whole;
}

void Queue::release(Slot& slot) const {
    if (slot.host != nullptr) static_cast<void>(cudaFreeHost(slot.host));
    if (slot.device != nullptr) static_cast<void>(cudaFree(slot.device));
}

void Queue::mark_used_slots() {
    if (in_use_.empty()) return;
    const Mark now = mark();
    for (Slot* const slot : in_use_)
        slot->used = now;
    idle_.insert(idle_.end(), in_use_.begin(), in_use_.end());
    in_use_.clear();
}

}  // namespace vae_dist
