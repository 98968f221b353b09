#include "integration/run_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "integration/process.hpp"

namespace vae_dist {

namespace fs = std::filesystem;

namespace {

std::vector<Json> metrics_lines(const fs::path& run) {
    std::istringstream text(contents_of(run / "metrics.jsonl"));
    std::vector<Json> lines;
    for (std::string line; std::getline(text, line);)
        lines.push_back(Json::parse(line));
    return lines;
}

std::vector<std::string> names_of(const std::vector<fs::path>& paths) {
    std::vector<std::string> names;
    for (const fs::path& path : paths)
        names.push_back(path.filename().string());
    return names;
}

}  // namespace

std::vector<fs::path> checkpoints_in(const fs::path& run) {
    std::vector<fs::path> found;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints", missing)) {
        if (entry.path().extension() == ".h5") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<fs::path> temporaries_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code gone;
    for (const auto& entry : fs::recursive_directory_iterator(folder, gone)) {
        if (entry.path().extension() == ".vae_dist-tmp") found.push_back(entry.path());
    }
    return found;
}

std::vector<std::string> metrics_of(const fs::path& run) {
    std::vector<std::string> lines;
    for (Json& line : metrics_lines(run)) {
        for (const char* const field : {"samples_per_second", "seconds", "pause_seconds", "write_seconds"})
            line.erase(field);
        lines.push_back(line.dump());
    }
    return lines;
}

std::int64_t newest_step(const fs::path& run) {
    const auto found = checkpoints_in(run);
    return found.empty() ? -1 : std::stoll(found.back().stem().string().substr(5));
}

std::vector<double> metric(const fs::path& run, const std::string& event, const std::string& field) {
    std::vector<double> values;
    for (const Json& line : metrics_lines(run)) {
        if (line["event"] == event) values.push_back(line[field].get<double>());
    }
    return values;
}

void expect_equal_hdf5(const fs::path& a, const fs::path& b) {
    ASSERT_STRNE(VAE_DIST_H5DIFF, "") << "h5diff is missing; Debian: apt install hdf5-tools";
    const Outcome outcome =
        Process({VAE_DIST_H5DIFF, a.string(), b.string()}, {}).wait(std::chrono::seconds(60));
    EXPECT_EQ(outcome.status, 0) << a << " and " << b << " differ: " << outcome.text();
    EXPECT_EQ(outcome.out + outcome.err, "") << a << " and " << b;
    EXPECT_TRUE(contents_of(a) == contents_of(b)) << "the bytes of " << a << " and " << b << " differ";
}

void expect_equal_runs(const fs::path& a, const fs::path& b) {
    const auto of_a = checkpoints_in(a);
    const auto of_b = checkpoints_in(b);
    ASSERT_FALSE(of_a.empty()) << a;
    ASSERT_EQ(names_of(of_a), names_of(of_b));
    for (std::size_t i = 0; i < of_a.size(); ++i)
        expect_equal_hdf5(of_a[i], of_b[i]);
    ASSERT_EQ(fs::exists(a / "best.h5"), fs::exists(b / "best.h5"));
    if (fs::exists(a / "best.h5")) expect_equal_hdf5(a / "best.h5", b / "best.h5");
    for (const fs::path& run : {a, b})
        EXPECT_EQ(temporaries_in(run), std::vector<fs::path>{}) << run;
    EXPECT_FALSE(metrics_of(a).empty());
    EXPECT_EQ(metrics_of(a), metrics_of(b));
}

}  // namespace vae_dist
