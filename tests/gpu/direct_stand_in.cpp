#include "cuda_stand_in/device_memory.hpp"
#include "gpu/device_world.hpp"

namespace vae_dist {

namespace {

using cuda_stand_in::DeviceAccess;

/// Another communicator, whose calls may touch the stand-in's device memory, as those of CUDA-aware MPI do.
class DeviceReadingCommunicator final : public Communicator {
 public:
    explicit DeviceReadingCommunicator(Communicator& inner) : inner_(inner) {}

    int rank() const override { return inner_.rank(); }
    int size() const override { return inner_.size(); }
    std::string name() const override { return inner_.name(); }

    void all_reduce_sum(std::span<std::int64_t> values) override {
        const DeviceAccess access;
        inner_.all_reduce_sum(values);
    }
    void all_reduce_sum(std::span<float> values) override {
        const DeviceAccess access;
        inner_.all_reduce_sum(values);
    }
    void all_reduce_max(std::span<std::int64_t> values) override { inner_.all_reduce_max(values); }
    void all_reduce_max(std::span<double> values) override { inner_.all_reduce_max(values); }
    std::optional<std::int64_t> all_reduce_max_within(std::int64_t value,
                                                      std::chrono::milliseconds patience) override {
        return inner_.all_reduce_max_within(value, patience);
    }
    void broadcast(std::span<std::byte> bytes, int root) override {
        const DeviceAccess access;
        inner_.broadcast(bytes, root);
    }
    std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes, int root) override {
        return inner_.gather(bytes, root);
    }
    void barrier() override { inner_.barrier(); }
    void wait_until(const std::function<bool()>& is_so) override { inner_.wait_until(is_so); }
    std::unique_ptr<Messages> make_messages() override { return inner_.make_messages(); }
    void abort(int exit_status) noexcept override { inner_.abort(exit_status); }

 private:
    Communicator& inner_;
};

}  // namespace

CollectivesCase direct_collectives() {
    return {"CudaAwareMpi", "reads the devices' memory",
            [](Communicator& communicator, DeviceBackend& device) {
                static DeviceReadingCommunicator reading(communicator);  // mpi_world(), which outlives it
                return make_host_collectives(reading, device, true);
            }};
}

}  // namespace vae_dist
