#include "app/fresh_run.hpp"

#include "app/commands.hpp"
#include "vae_dist/comm/agreement.hpp"

namespace vae_dist {

namespace {

Config load_and_resolve(const std::string& path, const std::vector<std::string>& overrides,
                        Communicator& communicator) {
    Config config = load_config_together(path, overrides, communicator);
    run_together(communicator, [&] {
        config.train.virtual_ranks = resolve_virtual_ranks(config.train, 0, communicator.size());
    });
    return config;
}

}  // namespace

FreshRun::FreshRun(const std::string& path, const std::vector<std::string>& overrides,
                   Communicator& communicator, const Log& log)
    : config(load_and_resolve(path, overrides, communicator)),
      data(config, communicator),
      started(start_replica(config, data, std::nullopt, communicator, log)) {}

}  // namespace vae_dist
