#include "vae_dist/model/term_values.hpp"

#include <algorithm>
#include <utility>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// "kl", and "kl/1", are of the kind "kl".
bool is_of_kind(std::string_view name, std::string_view kind) {
    return name.starts_with(kind) && (name.size() == kind.size() || name[kind.size()] == '/');
}

bool is_reconstruction(std::string_view name) {
    return is_of_kind(name, "reconstruction");
}

bool is_kl(std::string_view name) {
    return is_of_kind(name, "kl");
}

std::vector<std::string> names_of(const std::vector<NamedTerm>& terms) {
    std::vector<std::string> names;
    names.reserve(terms.size());
    for (const NamedTerm& term : terms)
        names.push_back(term.name);
    return names;
}

}  // namespace

TermValues::TermValues(const Graph& graph) : TermValues(names_of(graph.terms)) {}

TermValues::TermValues(std::vector<std::string> names)
    : names_(std::make_shared<const std::vector<std::string>>(std::move(names))), values_(names_->size()) {}

TermValues::TermValues(std::initializer_list<std::pair<std::string, double>> terms) {
    std::vector<std::string> names;
    for (const auto& [name, value] : terms) {
        names.push_back(name);
        values_.push_back(value);
    }
    names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
}

std::span<const std::string> TermValues::names() const {
    return names_ ? std::span<const std::string>(*names_) : std::span<const std::string>();
}

const double* TermValues::find(std::string_view name) const {
    const auto found = std::ranges::find(names(), name);
    return found == names().end() ? nullptr : &values_[static_cast<std::size_t>(found - names().begin())];
}

std::size_t TermValues::place(std::string_view name) const {
    const double* const value = find(name);
    require(value != nullptr, "a term that is asked for is one of the model's");
    return static_cast<std::size_t>(value - values_.data());
}

void TermValues::assign_by_name(const TermValues& other) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (const double* const value = other.find(names()[i])) values_[i] = *value;
    }
}

double TermValues::elbo() const {
    double elbo = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (is_reconstruction(names()[i])) elbo += values_[i];
        if (is_kl(names()[i])) elbo -= values_[i];
    }
    return elbo;
}

std::optional<double> TermValues::bound() const {
    const double* const value = find(kBound);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

bool TermValues::has_elbo() const {
    return std::ranges::any_of(names(), is_reconstruction) && std::ranges::any_of(names(), is_kl);
}

int TermValues::sign_in_elbo(std::string_view name) {
    if (is_reconstruction(name)) return 1;
    return is_kl(name) ? -1 : 0;
}

}  // namespace vae_dist
