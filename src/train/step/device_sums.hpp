#pragma once

#include <cstdint>
#include <memory>

#include "train/step/even_shards.hpp"
#include "vae_dist/backend/device_backend.hpp"
#include "vae_dist/comm/device_collectives.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/graph/parameters.hpp"

namespace vae_dist {

/// The sums of a step's gradients, of all passes of all ranks, in a device's memory.
class DeviceSums {
 public:
    virtual ~DeviceSums() = default;

    /// Takes in a range of the store's gradients; `first` where nothing of this step came before. What is not
    /// finite, or does not fit, shows in the norm or in `misfits`.
    virtual void add(ElementRange range, bool first) = 0;
    /// Starts to add up a bucket over all ranks, of which `mine` is this rank's part.
    virtual void reduce(DeviceCollectives& collectives, ElementRange bucket, ElementRange mine) = 0;
    /// The store's gradients = the sums, once these were reduced and communication was joined.
    virtual void finish(ElementRange range) = 0;
    virtual std::int64_t bytes() const = 0;
};

/// `addends` is how many passes are added up, over all `ranks`; *misfits is set to 1 where one does not fit.
std::unique_ptr<DeviceSums> make_device_sums(Reduction reduction, const EvenShards& shards, int ranks,
                                             std::int64_t addends, ParameterStore& store,
                                             DeviceBackend& device, std::int64_t* misfits);

}  // namespace vae_dist
