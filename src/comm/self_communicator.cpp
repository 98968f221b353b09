#include "vae_dist/comm/self_communicator.hpp"

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

class NoMessages final : public Messages {
 public:
    void send(std::span<const std::byte>, int) override { refuse(); }
    std::size_t receive(std::span<std::byte>, int) override { refuse(); }
    void progress() override {}
    bool has_received(std::size_t) override { refuse(); }
    std::size_t received(std::size_t) const override { refuse(); }
    void wait_for(std::size_t) override { refuse(); }
    void wait_all() override {}

 private:
    [[noreturn]] static void refuse() {
        throw Error(ErrorKind::bug, "a single rank has no other rank for messages");
    }
};

}  // namespace

void SelfCommunicator::wait_until(const std::function<bool()>& is_so) {
    require(is_so(), "a single rank has no other rank to wait for");
}

std::unique_ptr<Messages> SelfCommunicator::make_messages() {
    return std::make_unique<NoMessages>();
}

}  // namespace vae_dist
