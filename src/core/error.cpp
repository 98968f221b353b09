#include "vae_dist/core/error.hpp"

namespace vae_dist {

void require(bool holds, const char* invariant, SourceLocation where) {
    if (holds) return;
    throw Error(ErrorKind::bug,
                fmt::format("a bug in vae_dist: '{}' does not hold in {} ({}:{}); please report it",
                            invariant, where.function_name(), where.file_name(), where.line()));
}

}  // namespace vae_dist
