#include "backend/cpu/library_threads.hpp"

#include <dlfcn.h>

namespace vae_dist {

namespace {

/// Functions of the OpenMP library that oneDNN is linked with. Found at run time, for that need not be the
/// library that this compiler has: Clang has libomp or none at all, Debian's oneDNN has GCC's libgomp, and a
/// number told to the one would not be the other's. Null where oneDNN was built without OpenMP, for then it
/// has one thread.
struct OpenMp {
    void (*set_num_threads)(int) = find<void(int)>("omp_set_num_threads");
    int (*get_max_threads)() = find<int()>("omp_get_max_threads");

    template <class Function>
    static Function* find(const char* name) {
        return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
    }
};

const OpenMp& open_mp() {
    static const OpenMp functions;
    return functions;
}

}  // namespace

void use_one_library_thread() {
    if (library_threads() != 1) open_mp().set_num_threads(1);
}

int library_threads() {
    return open_mp().get_max_threads == nullptr ? 1 : open_mp().get_max_threads();
}

}  // namespace vae_dist
