#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <string>

#include "infer/evaluation/evaluation_progress.hpp"
#include "vae_dist/infer/evaluate.hpp"

namespace vae_dist {
namespace {

Evaluation small_evaluation() {
    Evaluation e;
    e.rows = 10000;
    e.features = 784;
    e.importance_samples = 5000;
    e.elbo = {-92.5, 0.25};
    e.terms = {{"reconstruction", {-67.5, 0.25}}, {"kl/1", {16, 0.125}}, {"kl/2", {9, 0.125}}};
    e.log_likelihood = {-87.4375, 0.25};
    e.monte_carlo_error = 0.0125;
    e.effective_draws = 312.5;
    e.bits_per_dimension = 0.1609;
    e.active_units = 12;
    for (std::size_t z = 0; z < 50; ++z) {
        e.mean_variance.push_back(0.5);
        e.kl_per_dimension.push_back(static_cast<double>(z * 7 % 50));
    }
    e.mse = {0.0123, 1e-5};
    e.cross_entropy = MeanOverRows{64.25, 0.5};
    e.mmd =
        SampleQuality{.generated = 0.0125, .data = -1.5e-5, .bandwidth = 9, .rows = 1000, .from_means = true};
    return e;
}

TEST(EvaluationTable, HasEachFigureWithItsError) {
    const std::string table = table_of(small_evaluation());
    for (const char* part : {"10,000", "-87.4375", "+/- 0.2500", "0.0125", "312.5 of 5,000", "-92.5000",
                             "  kl/1 ", "16.0000", "  kl/2 ", "9.0000", "12 of 50", "0.1609", "0.0123",
                             "+/- 1.00e-05", "64.2500", "-1.50e-05", "1,000 rows"})
        EXPECT_NE(table.find(part), std::string::npos) << part << " is not in\n" << table;
}

TEST(EvaluationTable, FitsATerminal) {
    std::istringstream lines(table_of(small_evaluation()));
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        EXPECT_LE(line.size(), 100U) << line;
    EXPECT_LE(count, 16);
}

TEST(EvaluationTable, ShowsTheLatentDimensionsThatSayMostLargestFirst) {
    const std::string table = table_of(small_evaluation());
    EXPECT_LT(table.find("z[7] 49.000"), table.find("z[14] 48.000"));
    EXPECT_LT(table.find("z[14] 48.000"), table.find("z[20] 40.000"));
    EXPECT_EQ(table.find("39.000"), std::string::npos);
}

TEST(EvaluationTable, LeavesOutWhatIsAbsentOrUnknown) {
    Evaluation e = small_evaluation();
    e.importance_samples = 1;
    e.monte_carlo_error = std::numeric_limits<double>::quiet_NaN();
    e.log_likelihood.standard_error = std::numeric_limits<double>::quiet_NaN();
    e.cross_entropy.reset();
    e.mmd.reset();
    const std::string table = table_of(e);
    EXPECT_EQ(table.find("nan"), std::string::npos) << table;
    EXPECT_EQ(table.find("cross-entropy"), std::string::npos);
    EXPECT_EQ(table.find("mmd"), std::string::npos);
}

TEST(EvaluationProgress, SaysHowMuchIsDoneAndHowLongTheRestTakes) {
    EXPECT_EQ(progress_line(4096, 10000, 90), "evaluating: 4,096 of 10,000 rows, 2 min 10 s left");
    EXPECT_EQ(progress_line(10, 10, 90), "evaluating: 10 of 10 rows, 0 s left");
}

}  // namespace
}  // namespace vae_dist
