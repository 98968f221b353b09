#include "vae_dist/core/program.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

namespace vae_dist {
namespace {

TEST(ThisProgram, IsTheVersionAndTheChecksumOfTheExecutable) {
    std::ifstream executable("/proc/self/exe", std::ios::binary);
    if (!executable) GTEST_SKIP() << "this system does not show a process its executable";
    const std::string bytes{std::istreambuf_iterator<char>(executable), {}};
    const ProgramBuild build = this_program();
    EXPECT_FALSE(build.version.empty());
    EXPECT_EQ(build.checksum, crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

TEST(ProgramBuild, IsWrittenWithAllDigitsOfItsChecksum) {
    EXPECT_EQ(to_text({"0.1.0", 0xab}), "0.1.0, 000000ab");
    EXPECT_EQ(to_text({"0.1.0", {}}), "0.1.0");
}

TEST(UsableCores, AreThoseTheProcessIsBoundTo) {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    EXPECT_EQ(usable_cores(), CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all))
        ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_cores(), 1);
    sched_setaffinity(0, sizeof all, &all);
}

}  // namespace
}  // namespace vae_dist
