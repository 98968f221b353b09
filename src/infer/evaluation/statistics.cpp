#include "infer/evaluation/statistics.hpp"

#include <cmath>
#include <limits>

namespace vae_dist {

void Moments::merge(const Moments& other) {
    if (other.count == 0) return;
    if (count == 0) {
        *this = other;
        return;
    }
    const auto mine = static_cast<double>(count);
    const auto theirs = static_cast<double>(other.count);
    const double apart = other.mean() - mean();
    squares += other.squares + apart * apart * (mine * theirs / (mine + theirs));
    sum += other.sum;
    count += other.count;
}

double Moments::variance() const {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    return count > 1 ? squares / static_cast<double>(count) : kUnknown;
}

double Moments::standard_error() const {
    const auto n = static_cast<double>(count);
    return std::sqrt(squares / (n - 1) / n);
}

}  // namespace vae_dist
