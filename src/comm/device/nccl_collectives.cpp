#include <nccl.h>

#include <functional>
#include <memory>
#include <type_traits>

#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

std::string version_of(int number) {
    return fmt::format("NCCL {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

std::string advice(ncclResult_t result) {
    switch (result) {
        case ncclRemoteError:
            return "another rank has failed, or cannot be reached; NCCL_DEBUG=INFO makes NCCL say more";
        case ncclSystemError:
        case ncclInternalError:
            return "NCCL_DEBUG=INFO makes NCCL say more, NCCL_SOCKET_IFNAME chooses the network, "
                   "NCCL_IB_DISABLE=1 does without InfiniBand";
        case ncclInvalidUsage:
            return "NCCL_DEBUG=WARN makes NCCL say more; every rank needs a GPU of its own";
        default:
            return "NCCL_DEBUG=INFO makes NCCL say more";
    }
}

void check_nccl(ncclResult_t result, const char* call, ncclComm_t communicator = nullptr) {
    if (result == ncclSuccess) return;
    const char* const last = ncclGetLastError(communicator);
    throw_failure("{} failed: {}{}{}; {}", call, ncclGetErrorString(result),
                  last == nullptr || *last == '\0' ? "" : ": ", last == nullptr ? "" : last, advice(result));
}

// A library older than the one of the build may lack functions; a newer one of the same major version has
// them.
void require_fitting_library() {
    int loaded = 0;
    check_nccl(ncclGetVersion(&loaded), "ncclGetVersion");
    if (loaded >= NCCL_VERSION_CODE && loaded / 10000 == NCCL_VERSION_CODE / 10000) return;
    throw_input_error("this build is for {} and newer, but {} was loaded; look at LD_LIBRARY_PATH",
                      version_of(NCCL_VERSION_CODE), version_of(loaded));
}

template <class T>
constexpr ncclDataType_t kNcclType = std::is_same_v<T, std::int64_t> ? ncclInt64
                                     : std::is_same_v<T, BFloat16>   ? ncclBfloat16
                                                                     : ncclFloat32;

class NcclCollectives final : public DeviceCollectives {
 public:
    NcclCollectives(Communicator& control, DeviceBackend& backend)
        : backend_(backend), ranks_(control.size()) {
        ncclUniqueId id = {};
        run_together(control, [&] {
            require_fitting_library();
            if (control.rank() == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
        });
        control.broadcast(std::as_writable_bytes(std::span(&id, 1)), 0);
        // Not run_together: where one rank fails here, the others may wait for it in the same call until the
        // job ends.
        ncclComm_t communicator = nullptr;
        check_nccl(ncclCommInitRank(&communicator, control.size(), id, control.rank()), "ncclCommInitRank");
        communicator_.reset(communicator);
    }

    // NCCL frees a communicator only when no graph refers to it: commDestroySync in its init.cc.
    ~NcclCollectives() override { backend_.forget_repeatable(); }
    NcclCollectives(const NcclCollectives&) = delete;
    NcclCollectives& operator=(const NcclCollectives&) = delete;

    std::string description() const override { return nccl_version(); }
    bool only_queues() const override { return true; }

    void reduce_scatter_sum(std::span<std::int64_t> all, std::span<std::int64_t> mine) override {
        reduce_scatter(all, mine);
    }
    void reduce_scatter_sum(std::span<float> all, std::span<float> mine) override {
        reduce_scatter(all, mine);
    }
    void reduce_scatter_sum(std::span<BFloat16> all, std::span<BFloat16> mine) override {
        reduce_scatter(all, mine);
    }

    void all_reduce_sum(std::span<std::int64_t> values) override {
        queue([&](cudaStream_t stream) {
            check_call(ncclAllReduce(values.data(), values.data(), values.size(), ncclInt64, ncclSum,
                                     communicator_.get(), stream),
                       "ncclAllReduce");
        });
    }

    void all_gather(const std::vector<std::span<float>>& arrays) override {
        queue([&](cudaStream_t stream) {
            check_call(ncclGroupStart(), "ncclGroupStart");
            for (const std::span<float> array : arrays) {
                const std::size_t part = array.size() / static_cast<std::size_t>(ranks_);
                check_call(ncclAllGather(array.data() + part * static_cast<std::size_t>(rank()), array.data(),
                                         part, ncclFloat32, communicator_.get(), stream),
                           "ncclAllGather");
            }
            check_call(ncclGroupEnd(), "ncclGroupEnd");
        });
    }

    void check() override {
        ncclResult_t result = ncclSuccess;
        check_call(ncclCommGetAsyncError(communicator_.get(), &result), "ncclCommGetAsyncError");
        if (result != ncclInProgress) check_call(result, "a sum or gather over all ranks by NCCL");
    }

 private:
    // Unfinished operations are aborted: the end of a rank must not wait for another rank.
    struct Abort {
        using pointer = ncclComm_t;
        void operator()(ncclComm_t communicator) const { static_cast<void>(ncclCommAbort(communicator)); }
    };

    template <class T>
    void reduce_scatter(std::span<T> all, std::span<T> mine) {
        require(all.size() == mine.size() * static_cast<std::size_t>(ranks_), "all ranks have equal parts");
        queue([&](cudaStream_t stream) {
            check_call(ncclReduceScatter(all.data(), mine.data(), mine.size(), kNcclType<T>, ncclSum,
                                         communicator_.get(), stream),
                       "ncclReduceScatter");
        });
    }

    void queue(const std::function<void(cudaStream_t)>& call) {
        backend_.communicate([&](void* stream) { call(static_cast<cudaStream_t>(stream)); });
    }

    int rank() const {
        int rank = 0;
        check_call(ncclCommUserRank(communicator_.get(), &rank), "ncclCommUserRank");
        return rank;
    }

    // The communicator's last error, if it has one, is part of the message.
    void check_call(ncclResult_t result, const char* call) const {
        check_nccl(result, call, communicator_.get());
    }

    DeviceBackend& backend_;
    int ranks_;
    std::unique_ptr<std::remove_pointer_t<ncclComm_t>, Abort> communicator_;
};

}  // namespace

bool nccl_built_in() {
    return true;
}

std::string nccl_version() {
    int loaded = 0;
    return ncclGetVersion(&loaded) == ncclSuccess ? version_of(loaded)
                                                  : "NCCL, which cannot tell its version";
}

std::unique_ptr<DeviceCollectives> make_nccl_collectives(Communicator& control, DeviceBackend& backend) {
    return std::make_unique<NcclCollectives>(control, backend);
}

}  // namespace vae_dist
