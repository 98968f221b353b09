#include "comm/token.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

Token random_token() {
    Token token;
    if (::getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size())) {
        throw_failure("the system gives no random numbers: {}", std::strerror(errno));
    }
    return token;
}

}  // namespace vae_dist
