#include "vae_dist/model/vae.hpp"

#include <algorithm>
#include <array>

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

// What DrawTerms has, each value once.
std::vector<ValueId> weighed_values(const VaeGraph& model) {
    std::vector<ValueId> values = {model.log_likelihood, model.log_ratio};
    for (const NamedTerm& term : model.graph.terms)
        if (std::ranges::count(values, term.column) == 0) values.push_back(term.column);
    return values;
}

}  // namespace

Vae::Vae(const ModelConfig& config, std::int64_t features, Backend& backend, Precision precision,
         std::span<const ModelCondition> conditions)
    : config_(config),
      features_(features),
      backend_(backend),
      precision_(precision),
      likelihood_(make_likelihood(config.likelihood)),
      prior_(make_prior(config)),
      conditions_(conditions.begin(), conditions.end()) {
    require(conditions.size() == config.condition.on.size(), "every condition of a model has a shape");
    given_.reserve(2 + conditions.size());
    for (const bool several_draws : {false, true}) {
        Objective& objective = objectives_[several_draws ? 1 : 0];
        objective.model = make_vae_graph(config, *likelihood_, *prior_, features, conditions_, several_draws);
    }
    const VaeGraph& model = objectives_[0].model;
    layout_ = layout_of(model.graph);
    const auto plan = [&](const VaeGraph& of, Goal goal) {
        goal.given.insert(goal.given.end(), of.conditions.begin(), of.conditions.end());
        return Plan(of.graph, goal, precision, layout_);
    };
    for (Objective& objective : objectives_) {
        const std::vector<ValueId> given = {objective.model.x};
        objective.training =
            plan(objective.model, {.given = given, .terms = Terms::summed, .gradients = true});
        objective.validation = plan(objective.model, {.given = given, .terms = Terms::summed});
        objective.read = TermValues(objective.model.graph);
        objective.terms = backend.allocate(objective.read.values().size_bytes());
    }
    encode_ = plan(model, {.wanted = {model.posterior}, .given = {model.x}});
    draw_ = plan(model, {.wanted = weighed_values(model), .given = {model.posterior, model.x}});
    decode_ = plan(model, {.wanted = {model.output}, .given = {model.latent}});
    density_ = Plan(model.graph, {.wanted = {model.log_likelihood}, .given = {model.output, model.x}},
                    precision, layout_);
    parameters_ = std::make_unique<ParameterStore>(layout_, precision, backend);
}

// No two of the plans run at a time.
void Vae::reserve(std::int64_t rows, std::int64_t draws) {
    for (Objective& objective : objectives_) {
        objective.training.use(nullptr, {});
        objective.validation.use(nullptr, {});
    }
    memory_ = backend_.allocate(static_cast<std::size_t>(workspace_bytes(rows, draws)));
    for (const std::int64_t of : {std::int64_t{1}, draws}) {
        Objective& reserved = objectives_[of > 1 ? 1 : 0];
        const RowLimits limits = {.samples = rows, .draws = rows * of};
        reserved.training.use(memory_.as<std::byte>(), limits);
        reserved.validation.use(memory_.as<std::byte>(), limits);
    }
}

std::int64_t Vae::workspace_bytes(std::int64_t rows, std::int64_t draws) const {
    std::size_t most = 0;
    for (const std::int64_t of : {std::int64_t{1}, draws}) {
        const RowLimits limits = {.samples = rows, .draws = rows * of};
        most = std::max({most, objective(of).training.bytes(limits), objective(of).validation.bytes(limits)});
    }
    return static_cast<std::int64_t>(most);
}

// The posterior stays while draws from it are decoded, and what is decoded while its density is asked for.
void Vae::reserve_inference(std::int64_t rows, std::int64_t draws) {
    const RowLimits limits = {.samples = rows, .draws = rows * draws};
    const std::size_t encoded = encode_.bytes(limits);
    // Latents are decoded by themselves, too: each then counts as a sample.
    const RowLimits latents = {.samples = limits.draws, .draws = limits.draws};
    const std::size_t decoded = std::max(draw_.bytes(limits), decode_.bytes(latents));
    inference_memory_ = backend_.allocate(encoded + decoded + density_.bytes(limits));
    auto* const memory = inference_memory_.as<std::byte>();
    encode_.use(memory, limits);
    draw_.use(memory + encoded, limits);
    decode_.use(memory + encoded, latents);
    density_.use(memory + encoded + decoded, limits);
}

Pass Vae::pass_of(const VaeInput& input, const ObjectiveWeights& weights) const {
    return {.rows = input.x.rows,
            .draws = input.draws,
            .row_numbers = input.rows,
            .noise = input.noise,
            .visit = input.visit,
            .sample_weight = weights.sample_weight,
            .beta = weights.beta,
            .free_bits = weights.free_bits};
}

Plan::Run Vae::run_of(const Pass& pass, std::initializer_list<ConstFloatMatrix> given,
                      ConditionsView conditions) {
    given_.assign(given);
    given_.insert(given_.end(), conditions.begin(), conditions.end());
    return {.backend = backend_, .store = *parameters_, .pass = pass, .given = given_};
}

TermValues Vae::terms(std::int64_t draws) const {
    TermValues terms = objective(draws).read;
    std::ranges::fill(terms.values(), 0);
    return terms;
}

const TermValues& Vae::read_terms(Objective& of) const {
    backend_.copy_out(of.read.values().data(), of.terms.as<double>(), of.read.values().size_bytes());
    return of.read;
}

const TermValues& Vae::evaluate(const VaeInput& input) {
    const Pass pass = pass_of(input, {});
    Objective& of = objective(input.draws);
    Plan::Run run = run_of(pass, {input.x}, input.conditions);
    run.terms = of.terms.as<double>();
    of.validation.forward(run);
    return read_terms(of);
}

const TermValues& Vae::forward(const VaeInput& input, const ObjectiveWeights& weights) {
    start_forward(input, weights);
    return read_terms(objective(input.draws));
}

std::span<const double> Vae::start_forward(const VaeInput& input, const ObjectiveWeights& weights) {
    const Pass pass = pass_of(input, weights);
    const Objective& of = objective(input.draws);
    Plan::Run run = run_of(pass, {input.x}, input.conditions);
    run.terms = of.terms.as<double>();
    of.training.forward(run);
    return of.terms.span<double>();
}

void Vae::backward(const VaeInput& input, const ObjectiveWeights& weights, const GradientsReady& ready) {
    const Pass pass = pass_of(input, weights);
    objective(input.draws).training.backward(run_of(pass, {input.x}, input.conditions), ready);
}

Posterior Vae::posterior_in(FloatMatrix both) const {
    const std::int64_t z = config_.latent_dim;
    return {.mean = both.column_block(0, z), .log_variance = both.column_block(z, z)};
}

Posterior Vae::encode(ConstFloatMatrix x, ConditionsView conditions) {
    const Pass pass = {.rows = x.rows};
    encode_.forward(run_of(pass, {x}, conditions));
    return posterior_in(encode_.value(objectives_[0].model.posterior, x.rows));
}

DrawTerms Vae::weigh_draws(ConstFloatMatrix x, const Posterior& posterior, const PosteriorDraws& draws,
                           ConditionsView conditions) {
    const FloatMatrix& mean = posterior.mean;
    require(posterior.log_variance.data == mean.data + config_.latent_dim,
            "a posterior is as encode gave it");
    const Pass pass = {.rows = x.rows,
                       .draws = draws.count,
                       .row_numbers = draws.rows,
                       .noise = draws.random,
                       .visit = draws.visit,
                       .first_draw = draws.first};
    const ConstFloatMatrix both(mean.data, mean.rows, 2 * config_.latent_dim, mean.stride);
    draw_.forward(run_of(pass, {both, x}, conditions));
    const auto column = [&](ValueId value, std::int64_t rows) {
        return std::span<const float>(draw_.value(value, rows).data, static_cast<std::size_t>(rows));
    };
    const VaeGraph& model = objectives_[0].model;
    term_columns_.clear();
    for (const NamedTerm& term : model.graph.terms) {
        const bool of_draws = model.graph.value(term.column).shape.rows == RowClass::draw;
        term_columns_.push_back({term.name, column(term.column, x.rows * (of_draws ? draws.count : 1))});
    }
    return {.log_likelihood = column(model.log_likelihood, x.rows * draws.count),
            .log_ratio = column(model.log_ratio, x.rows * draws.count),
            .terms = term_columns_};
}

void Vae::draw_from_prior(const CounterRandom& random, std::int64_t first, FloatMatrix to_host) const {
    require(to_host.columns == config_.latent_dim, "a latent has all its dimensions");
    prior_->draw(backend_, layout_, *parameters_, random, first, to_host);
}

FloatMatrix Vae::decode(ConstFloatMatrix latent, ConditionsView conditions) {
    const Pass pass = {.rows = latent.rows};
    decode_.forward(run_of(pass, {latent}, conditions));
    return decode_.value(objectives_[0].model.output, latent.rows);
}

std::span<const float> Vae::log_likelihood(ConstFloatMatrix output, ConstFloatMatrix x) {
    const Pass pass = {.rows = x.rows, .draws = output.rows / std::max<std::int64_t>(x.rows, 1)};
    given_.assign({output, x});
    density_.forward({.backend = backend_, .store = *parameters_, .pass = pass, .given = given_});
    return {density_.value(objectives_[0].model.log_likelihood, output.rows).data,
            static_cast<std::size_t>(output.rows)};
}

FloatMatrix Vae::to_mean(FloatMatrix output) const {
    likelihood_->to_parameters(backend_, output);
    return likelihood_->mean(output);
}

void Vae::draw(const CounterRandom& random, std::span<const std::int64_t> rows, ConstFloatMatrix parameters,
               FloatMatrix to_host) const {
    require(parameters.stride == parameters.columns, "the decoder's output has no gaps");
    std::vector<float> host(static_cast<std::size_t>(parameters.size()));
    backend_.copy_out(host.data(), parameters.data, host.size() * sizeof(float));
    likelihood_->draw(backend_, layout_, *parameters_, random, rows,
                      {host.data(), parameters.rows, parameters.columns}, to_host);
}

}  // namespace vae_dist
