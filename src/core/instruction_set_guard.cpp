// Ends a program that was built for instructions which this processor lacks, before the first of them. This
// file alone is compiled for the oldest processor, and runs before any other constructor of the program.
// VAE_DIST_FEATURE_CHECKS is VAE_DIST_FEATURE("avx2", is there?) VAE_DIST_FEATURE("fma", is there?)
// ... for the instructions in use.
#include "instruction_set_features.hpp"

#if defined(__x86_64__)

#include <cpuid.h>
#include <unistd.h>

namespace {

// A feature bit of the processor in register ECX, for instructions whose names GCC knows and Clang does not.
[[maybe_unused]] bool cpuid_ecx(unsigned leaf, unsigned bit) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(leaf, 0, &a, &b, &c, &d) != 0 && (c >> bit & 1) != 0;
}

// No allocation and no stream: nothing of the C++ library is initialised yet, and its inline functions could
// be linked in from a file that was compiled for the newer processor.
struct Message {
    char text[1024];
    unsigned long length = 0;

    void add(const char* words) {
        while (*words != '\0' && length < sizeof text)
            text[length++] = *words++;
    }
    void add_item(const char* name, bool& first) {
        if (!first) add(", ");
        add(name);
        first = false;
    }
};

__attribute__((constructor(101))) void check_instruction_set() {
    __builtin_cpu_init();
    bool complete = true;
#define VAE_DIST_FEATURE(name, present) complete = complete && (present);
    VAE_DIST_FEATURE_CHECKS
#undef VAE_DIST_FEATURE
    if (complete) return;

    Message message;
    message.add("vae_dist: error: this program was built for a processor with ");
    [[maybe_unused]] bool first = true;
#define VAE_DIST_FEATURE(name, present) message.add_item(name, first);
    VAE_DIST_FEATURE_CHECKS
#undef VAE_DIST_FEATURE
    message.add("; this one lacks ");
    first = true;
#define VAE_DIST_FEATURE(name, present) \
    if (!(present)) message.add_item(name, first);
    VAE_DIST_FEATURE_CHECKS
#undef VAE_DIST_FEATURE
    message.add("; build it here, or with -DVAE_DIST_ARCH=x86-64-v3\n");
    [[maybe_unused]] const long written = write(STDERR_FILENO, message.text, message.length);
    _exit(1);
}

}  // namespace

#endif
