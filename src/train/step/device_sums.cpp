#include "train/step/device_sums.hpp"

#include "train/step/sum_formats.hpp"
#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

/// As on processors: ExactFormat.
class ExactSums final : public DeviceSums {
 public:
    ExactSums(const EvenShards& shards, std::int64_t addends, ParameterStore& store, DeviceBackend& device,
              std::int64_t* misfits)
        : addends_(addends),
          store_(store),
          device_(device),
          misfits_(misfits),
          sums_(device.allocate(static_cast<std::size_t>(shards.padded_size()) * sizeof(std::int64_t))) {}

    void add(ElementRange range, bool first) override {
        device_.add_exact(elements(store_.gradients, range), ExactFormat::kFractionBits, addends_, first,
                          elements(sums(), range), misfits_);
    }
    void reduce(DeviceCollectives& collectives, ElementRange bucket, ElementRange mine) override {
        collectives.reduce_scatter_sum(elements(sums(), bucket), elements(sums(), mine));
    }
    void finish(ElementRange range) override {
        device_.from_exact(elements(sums(), range), ExactFormat::kFractionBits,
                           elements(store_.gradients, range));
    }
    std::int64_t bytes() const override { return static_cast<std::int64_t>(sums_.bytes()); }

 private:
    std::span<std::int64_t> sums() const { return sums_.span<std::int64_t>(); }

    std::int64_t addends_;
    ParameterStore& store_;
    DeviceBackend& device_;
    std::int64_t* misfits_;
    Buffer sums_;
};

/// Whether a sum of floats is finite shows in its square.
class FloatSums : public DeviceSums {
 public:
    FloatSums(const EvenShards& shards, ParameterStore& store, DeviceBackend& device)
        : store_(store),
          device_(device),
          sums_(device.allocate(static_cast<std::size_t>(shards.padded_size()) * sizeof(float))) {}

    void add(ElementRange range, bool first) override {
        const std::span<const float> gradients = elements(store_.gradients, range);
        if (first) {
            device_.copy(elements(sums(), range).data(), gradients.data(), gradients.size_bytes());
        } else {
            device_.add(gradients, elements(sums(), range));
        }
    }
    void reduce(DeviceCollectives& collectives, ElementRange bucket, ElementRange mine) override {
        collectives.reduce_scatter_sum(elements(sums(), bucket), elements(sums(), mine));
    }
    void finish(ElementRange range) override {
        const std::span<const float> from = elements(sums(), range);
        device_.copy(elements(store_.gradients, range).data(), from.data(), from.size_bytes());
    }
    std::int64_t bytes() const override { return static_cast<std::int64_t>(sums_.bytes()); }

 protected:
    std::span<float> sums() const { return sums_.span<float>(); }

    ParameterStore& store_;
    DeviceBackend& device_;

 private:
    Buffer sums_;
};

/// Floats that are rounded to bfloat16 to travel, where there are several ranks.
class BFloat16Sums final : public FloatSums {
 public:
    BFloat16Sums(const EvenShards& shards, ParameterStore& store, DeviceBackend& device)
        : FloatSums(shards, store, device),
          halves_(device.allocate(static_cast<std::size_t>(shards.padded_size()) * sizeof(BFloat16))) {}

    void reduce(DeviceCollectives& collectives, ElementRange bucket, ElementRange mine) override {
        device_.to_bfloat16(elements(sums(), bucket), elements(halves(), bucket));
        collectives.reduce_scatter_sum(elements(halves(), bucket), elements(halves(), mine));
    }
    void finish(ElementRange range) override {
        const std::span<float> gradients = elements(store_.gradients, range);
        device_.fill(gradients, 0);
        device_.add_bfloat16(elements(halves(), range), gradients);
    }
    std::int64_t bytes() const override {
        return FloatSums::bytes() + static_cast<std::int64_t>(halves_.bytes());
    }

 private:
    std::span<BFloat16> halves() const { return halves_.span<BFloat16>(); }

    Buffer halves_;
};

}  // namespace

std::unique_ptr<DeviceSums> make_device_sums(Reduction reduction, const EvenShards& shards, int ranks,
                                             std::int64_t addends, ParameterStore& store,
                                             DeviceBackend& device, std::int64_t* misfits) {
    switch (reduction) {
        case Reduction::exact:
            return std::make_unique<ExactSums>(shards, addends, store, device, misfits);
        case Reduction::bfloat16:
            if (ranks > 1) return std::make_unique<BFloat16Sums>(shards, store, device);
            [[fallthrough]];
        case Reduction::float32:
            return std::make_unique<FloatSums>(shards, store, device);
    }
    require(false, "every reduction has sums");
    return nullptr;
}

}  // namespace vae_dist
