#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vae_dist/graph/graph.hpp"

namespace vae_dist {

/// The terms of a model, by the names that its graph gives them and in its order: a number each, in nats;
/// sums over samples, or means. Copies share the names; to assign the same model's terms allocates nothing.
///
/// The evidence lower bound is made of the terms "reconstruction" = E[log p(x|z)] and "kl", or of several of
/// a kind: "kl/1", "kl/2". Whatever else a model tells has other names. "kl" is 0 or more in closed form; of
/// drawn z it may be less by chance. "iwae_bound" is the importance-weighted bound
/// log(1/K sum_k p(x, z_k) / q(z_k|x)) (Burda et al., 2016, eq. 8) of passes with several draws.
class TermValues {
 public:
    TermValues() = default;  ///< without terms
    /// Zeros.
    explicit TermValues(std::vector<std::string> names);
    explicit TermValues(const Graph& graph);
    TermValues(std::initializer_list<std::pair<std::string, double>> terms);

    std::span<const std::string> names() const;
    std::span<double> values() { return values_; }
    std::span<const double> values() const { return values_; }

    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// A term's place among the values. Throws ErrorKind::bug if there is no such term.
    std::size_t place(std::string_view name) const;
    double operator[](std::string_view name) const { return values_[place(name)]; }
    /// Takes over the numbers of the terms that `other` has, too.
    void assign_by_name(const TermValues& other);

    /// The sum of all reconstruction terms, less all KL terms.
    double elbo() const;
    /// The importance-weighted bound, where the model has one.
    std::optional<double> bound() const;

    /// Whether there are terms of both kinds that the ELBO is made of.
    bool has_elbo() const;
    /// 1 for a reconstruction term, -1 for a KL term, 0 for others.
    static int sign_in_elbo(std::string_view name);
    /// Whether a term is of one of these kinds.
    static bool is_of_elbo(std::string_view name) { return sign_in_elbo(name) != 0; }

    static constexpr std::string_view kBound = "iwae_bound";

 private:
    const double* find(std::string_view name) const;

    std::shared_ptr<const std::vector<std::string>> names_;
    std::vector<double> values_;
};

}  // namespace vae_dist
