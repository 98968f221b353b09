// What runs a target where there is no libFuzzer: the seeds, then what comes of changing them a little,
// always the same ones. usage: TARGET [CHANGES=2000] [SECONDS=8] or TARGET FILE...; files are what a fuzzer
// has found.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***);

namespace {

using vae_dist::fuzz::Bytes;
using Clock = std::chrono::steady_clock;

class Changes {
 public:
    explicit Changes(std::vector<Bytes> seeds) : seeds_(std::move(seeds)) {}

    Bytes next() {
        Bytes bytes = seeds_[below(seeds_.size())];
        for (std::size_t n = 1 + below(4); n > 0; --n)
            change(bytes);
        return bytes;
    }

 private:
    // Not std::uniform_int_distribution, whose numbers differ between libraries.
    std::size_t below(std::size_t end) { return end == 0 ? 0 : static_cast<std::size_t>(random_() % end); }

    void change(Bytes& bytes) {
        static constexpr std::uint8_t kTelling[] = {0,   1,   0x7f, 0x80, 0xff, '\n', '"',
                                                    ':', '-', '%',  '&',  '[',  '{',  '9'};
        const std::size_t at = below(bytes.size() + 1);
        const std::size_t length = std::min<std::size_t>(1 + below(8), bytes.size() - at);
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = begin + static_cast<std::ptrdiff_t>(length);
        switch (below(6)) {
            case 0:
                for (auto byte = begin; byte != end; ++byte)
                    *byte = static_cast<std::uint8_t>(random_());
                break;
            case 1:
                if (begin != bytes.end()) *begin ^= static_cast<std::uint8_t>(1U << below(8));
                break;
            case 2:
                bytes.erase(begin, end);
                break;
            case 3: {
                const Bytes copy(begin, end);
                bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)),
                             copy.begin(), copy.end());
                break;
            }
            case 4:
                bytes.insert(begin, kTelling[below(std::size(kTelling))]);
                break;
            default: {
                const Bytes& other = seeds_[below(seeds_.size())];
                bytes.resize(at);
                bytes.insert(bytes.end(),
                             other.begin() + static_cast<std::ptrdiff_t>(std::min(at, other.size())),
                             other.end());
                break;
            }
        }
    }

    std::vector<Bytes> seeds_;
    std::mt19937_64 random_{1};
};

void try_one(const Bytes& bytes) {
    // Of exactly its size, so that sanitizers see a read beyond the end.
    const std::unique_ptr<std::uint8_t[]> data(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), data.get());
    LLVMFuzzerTestOneInput(data.get(), bytes.size());
}

int replay_files(int count, char** paths) {
    for (int i = 0; i < count; ++i) {
        std::ifstream file(paths[i], std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "cannot read %s\n", paths[i]);
            return 2;
        }
        try_one(Bytes(std::istreambuf_iterator<char>(file), {}));
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    LLVMFuzzerInitialize(&argc, &argv);
    const long changes = argc > 1 ? std::atol(argv[1]) : 2000;
    if (argc > 1 && changes == 0) return replay_files(argc - 1, argv + 1);
    const auto seconds = std::chrono::seconds(argc > 2 ? std::atol(argv[2]) : 8);

    const std::vector<Bytes> seeds = vae_dist::fuzz::seeds();
    for (const Bytes& seed : seeds)
        try_one(seed);
    Changes changed(seeds);
    long done = 0;
    for (const auto end = Clock::now() + seconds; done < changes && Clock::now() < end; ++done)
        try_one(changed.next());
    std::printf("%zu seeds and %ld changes of them\n", seeds.size(), done);
}
