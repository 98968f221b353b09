// Says that it began, which a guard that does not like the processor must prevent even in a constructor.
#include <cstdio>

namespace {

struct Early {
    Early() { std::puts("began"); }
} early;

}  // namespace

int main() {
    return 0;
}
