#include "vae_dist/train/record/progress_display.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vae_dist {
namespace {

TrainMetrics metrics_of_step(std::int64_t step) {
    return {.step = step,
            .epoch = 3,
            .mean = {{"reconstruction", -229.778}, {"kl", 13.438}},
            .samples_per_second = 17768.5,
            .seconds = 1};
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

TEST(ProgressLine, NamesItsTerms) {
    EXPECT_EQ(
        progress_line(metrics_of_step(340), 1000, 10, 65, 200),
        "[###-------]  34 %  epoch 3/10  elbo -243.22  reconstruction -229.78  kl 13.44  1 min 05 s left  "
        "17,768 samples/s");
    TrainMetrics metrics = metrics_of_step(1000);
    metrics.mean = {{"reconstruction", -229.778}, {"kl", 13.438}, {"iwae_bound", -240}};
    EXPECT_EQ(progress_line(metrics, 1000, 10, 0, 200).substr(0, 67),
              "[##########] 100 %  epoch 3/10  iwae bound -240.00  elbo -243.22  r");
}

TEST(ProgressLine, NamesTheTermsThatAModelHas) {
    TrainMetrics metrics = metrics_of_step(340);
    metrics.mean = {{"reconstruction", -20}, {"kl/1", 3}, {"kl/2", 0.5}, {"class_accuracy", 0.25}};
    EXPECT_EQ(progress_line(metrics, 1000, 10, 65, 200),
              "[###-------]  34 %  epoch 3/10  class accuracy 0.25  elbo -23.50  reconstruction -20.00  "
              "kl/1 3.00  kl/2 0.50  1 min 05 s left  17,768 samples/s");
}

TEST(ProgressLine, FitsIntoANarrowTerminal) {
    EXPECT_EQ(
        progress_line(metrics_of_step(340), 1000, 10, 65, 100),
        "[###-------]  34 %  epoch 3/10  elbo -243.22  reconstruction -229.78  kl 13.44  1 min 05 s left");
    EXPECT_EQ(progress_line(metrics_of_step(340), 1000, 10, 5, 79),
              " 34 %  epoch 3/10  elbo -243.22  reconstruction -229.78  kl 13.44  5 s left");
    EXPECT_EQ(progress_line(metrics_of_step(340), 1000, 10, 5, 12), " 34 %  epoch");
}

TEST(ProgressDisplay, TheLineIsRewrittenByTimeAndNotBySteps) {
    const Log log(0);
    ProgressDisplay display(log, 1000, 10, true);
    const auto start = ProgressDisplay::Clock::now();
    testing::internal::CaptureStdout();
    for (int step = 1; step <= 1000; ++step) {  // a second of them
        const auto now = start + std::chrono::milliseconds(step);
        if (display.is_due(now)) display.step(metrics_of_step(step), 1, now);
        display.train(metrics_of_step(step), 1);
    }
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(count(out, "epoch 3/10"), 4U) << out;
    EXPECT_EQ(count(out, "\n"), 0U) << out;
}

TEST(ProgressDisplay, TheLineStaysBelowAValidation) {
    const Log log(0);
    ProgressDisplay display(log, 1000, 10, true);
    testing::internal::CaptureStdout();
    display.message("before");
    display.step(metrics_of_step(500), 1);
    display.validation({.step = 500, .epoch = 3, .mean = {{"reconstruction", -2}, {"kl", 1}}}, true);
    std::string out = testing::internal::GetCapturedStdout();
    const std::string line = " 50 %  epoch 3/10  elbo -243.22";
    EXPECT_EQ(out.substr(0, 7), "before\n");
    EXPECT_EQ(count(out, line), 2U) << out;
    EXPECT_GT(out.rfind(line),
              out.find("validation  elbo -3.000  reconstruction -2.000  kl 1.000  (best so far)\n"));
    testing::internal::CaptureStdout();
    display.end("done");
    out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(out, "\r\x1b[Kdone\n");
}

TEST(ProgressDisplay, PlainLinesWhereNobodyWatches) {
    const Log log(0);
    ProgressDisplay display(log, 1000, 10, false);
    testing::internal::CaptureStdout();
    EXPECT_FALSE(display.is_due());
    display.step(metrics_of_step(500), 1);
    display.train(metrics_of_step(500), 1);
    display.end("done");
    EXPECT_EQ(
        testing::internal::GetCapturedStdout(),
        "epoch 3/10  step 500/1000  elbo -243.216  reconstruction -229.778  kl 13.438  17,768 samples/s  1 s "
        "left\ndone\n");
}

}  // namespace
}  // namespace vae_dist
