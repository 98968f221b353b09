#include <vector>

#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// Bytes of a piece: arrays are cut into pieces so that the host's copies stay small.
constexpr std::size_t kPieceBytes = std::size_t{64} << 20;

class HostCollectives final : public DeviceCollectives {
 public:
    HostCollectives(Communicator& communicator, DeviceBackend& backend, bool direct)
        : communicator_(communicator), backend_(backend), direct_(direct) {}

    std::string description() const override {
        return communicator_.name() +
               (direct_ ? ", which reads the devices' memory" : ", by way of the host's memory");
    }
    bool only_queues() const override { return false; }

    void reduce_scatter_sum(std::span<std::int64_t> all, std::span<std::int64_t> mine) override {
        reduce_scatter<std::int64_t>(all, mine);
    }
    void reduce_scatter_sum(std::span<float> all, std::span<float> mine) override {
        reduce_scatter<float>(all, mine);
    }
    // The sum is computed in float and rounded once.
    void reduce_scatter_sum(std::span<BFloat16> all, std::span<BFloat16> mine) override {
        std::vector<BFloat16> halves(mine.size());
        std::vector<float> floats(mine.size());
        for (int owner = 0; owner < communicator_.size(); ++owner) {
            copy_out(part_of(all, owner, mine.size()), halves);
            for (std::size_t i = 0; i < halves.size(); ++i)
                floats[i] = to_float(halves[i]);
            communicator_.all_reduce_sum(floats);
            if (owner != communicator_.rank()) continue;
            for (std::size_t i = 0; i < halves.size(); ++i)
                halves[i] = to_bfloat16(floats[i]);
            backend_.copy_in(mine.data(), halves.data(), mine.size_bytes());
        }
    }

    void all_reduce_sum(std::span<std::int64_t> values) override { all_reduce(values); }

    void all_gather(const std::vector<std::span<float>>& arrays) override {
        const auto ranks = static_cast<std::size_t>(communicator_.size());
        for (const std::span<float> array : arrays) {
            for (int owner = 0; owner < communicator_.size(); ++owner)
                broadcast(part_of(array, owner, array.size() / ranks), owner);
        }
    }

    void check() override {}

 private:
    template <class T>
    static std::span<T> part_of(std::span<T> all, int rank, std::size_t size) {
        return all.subspan(static_cast<std::size_t>(rank) * size, size);
    }

    template <class T>
    void copy_out(std::span<T> from, std::vector<T>& to) {
        backend_.copy_out(to.data(), from.data(), from.size_bytes());
    }

    /// Calls `work` with each piece of `values`, in the host's or the device's memory, and copies the result
    /// back where that is asked for.
    template <class T, class Work>
    void in_pieces(std::span<T> values, bool bring_back, const Work& work) {
        if (direct_) {
            backend_.wait(backend_.mark());
            return work(values);
        }
        constexpr std::size_t kMost = kPieceBytes / sizeof(T);
        std::vector<T> piece(std::min(kMost, values.size()));
        for (; !values.empty(); values = values.subspan(std::min(kMost, values.size()))) {
            const std::span<T> now = values.first(std::min(kMost, values.size()));
            copy_out(now, piece);
            work(std::span(piece).first(now.size()));
            if (bring_back) backend_.copy_in(now.data(), piece.data(), now.size_bytes());
        }
    }

    template <class T>
    void all_reduce(std::span<T> values) {
        in_pieces(values, true, [&](std::span<T> piece) { communicator_.all_reduce_sum(piece); });
    }

    template <class T>
    void reduce_scatter(std::span<T> all, std::span<T> mine) {
        require(all.size() == mine.size() * static_cast<std::size_t>(communicator_.size()),
                "all ranks have equal parts");
        for (int owner = 0; owner < communicator_.size(); ++owner) {
            const std::span<T> part = part_of(all, owner, mine.size());
            const bool is_mine = owner == communicator_.rank();
            in_pieces(part, is_mine, [&](std::span<T> piece) { communicator_.all_reduce_sum(piece); });
            if (is_mine) backend_.copy(mine.data(), part.data(), mine.size_bytes());
        }
    }

    void broadcast(std::span<float> values, int root) {
        in_pieces(values, communicator_.rank() != root, [&](std::span<float> piece) {
            communicator_.broadcast(std::as_writable_bytes(piece), root);
        });
    }

    Communicator& communicator_;
    DeviceBackend& backend_;
    bool direct_;
};

}  // namespace

std::unique_ptr<DeviceCollectives> make_host_collectives(Communicator& communicator, DeviceBackend& backend,
                                                         bool direct) {
    return std::make_unique<HostCollectives>(communicator, backend, direct);
}

}  // namespace vae_dist
