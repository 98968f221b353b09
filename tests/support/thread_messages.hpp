#pragma once

#include <functional>
#include <memory>
#include <string>

#include "vae_dist/comm/messages.hpp"

namespace vae_dist {

/// What ranks that are threads have under way to each other.
class Mailboxes;
std::shared_ptr<Mailboxes> make_mailboxes(int size);

/// Returns when `is_so()`, which rank `on` makes true; throws where that has become hopeless. `what` is what
/// waits.
using WaitForRank = std::function<void(const std::string& what, const std::function<bool()>& is_so, int on)>;

/// The messages of `rank`. A message is copied out of the sender's own memory when it is received, and
/// `wait_all` waits until that has happened: who counts on more than Messages promises fails here.
std::unique_ptr<Messages> make_thread_messages(std::shared_ptr<Mailboxes> mailboxes, int rank,
                                               WaitForRank wait);

}  // namespace vae_dist
