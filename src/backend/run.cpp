#include "vae_dist/backend/run.hpp"

#include "vae_dist/core/error.hpp"

namespace vae_dist {

namespace {

std::span<float> column(const Operand& values) {
    return {values.floats().data, static_cast<std::size_t>(values.rows())};
}
std::span<const float> column(const ConstOperand& values) {
    return {values.floats().data, static_cast<std::size_t>(values.rows())};
}

// Mean and log-variance lie side by side.
template <class Matrix>
Matrix mean_of(const Matrix& posterior) {
    return posterior.column_block(0, posterior.columns / 2);
}
template <class Matrix>
Matrix log_variance_of(const Matrix& posterior) {
    return posterior.column_block(posterior.columns / 2, posterior.columns / 2);
}

struct Runner {
    Backend& backend;
    const Arguments& with;

    const ConstOperand& in(std::size_t i) const { return with.inputs[i]; }
    const Operand& out(std::size_t i) const { return with.outputs[i]; }

    void operator()(const Linear& linear) const {
        const bool keeps = linear.activation && keeps_preactivation(*linear.activation);
        backend.linear(in(0), in(1), in(2).floats().data, linear.activation ? &*linear.activation : nullptr,
                       keeps ? out(1) : Operand(), out(0));
    }
    void operator()(const ActivationGradient& gradient) const {
        const bool keeps = keeps_preactivation(gradient.activation);
        backend.activation_backward(gradient.activation, keeps ? in(2) : ConstOperand(), in(1),
                                    in(0).floats(), out(0), out(1).floats().data);
    }
    void operator()(const ColumnSums&) const { backend.column_sums(in(0), out(0).floats().data); }
    void operator()(const WeightGradient&) const {
        backend.linear_backward_weight(in(0), in(1), out(0).floats());
    }
    void operator()(const InputGradient&) const {
        backend.linear_backward_input(in(0), in(1), out(0).floats());
    }

    void operator()(const PosteriorDraw&) const {
        const ConstFloatMatrix posterior = in(0).floats();
        const Pass& pass = with.pass;
        const FloatMatrix epsilon = out(PosteriorDraw::kEpsilon).floats();
        const FloatMatrix latent = out(PosteriorDraw::kLatent).floats();
        backend.sample_posterior(mean_of(posterior), log_variance_of(posterior),
                                 {.random = pass.noise,
                                  .visit = pass.visit,
                                  .rows = pass.row_numbers,
                                  .first = pass.first_draw,
                                  .count = pass.draws},
                                 epsilon, latent);
        const Operand& kl = out(PosteriorDraw::kKl);
        if (!kl.empty())
            backend.posterior_kl(mean_of(posterior), log_variance_of(posterior), kl.floats().data);
        const Operand& log_ratio = out(PosteriorDraw::kLogRatio);
        if (!log_ratio.empty())
            backend.log_prior_ratio(log_variance_of(posterior), epsilon, latent, log_ratio.floats().data);
    }
    void operator()(const PosteriorGradient&) const {
        require(with.pass.draws == 1, "the evidence lower bound has one draw a sample");
        const ConstFloatMatrix posterior = in(0).floats();
        const FloatMatrix gradient = out(0).floats();
        backend.posterior_backward(
            mean_of(posterior), log_variance_of(posterior), in(1).floats(), in(2).floats(),
            static_cast<float>(with.pass.sample_weight * with.pass.beta),
            static_cast<float>(with.pass.free_bits), mean_of(gradient), log_variance_of(gradient));
    }
    void operator()(const ImportanceGradient&) const {
        const FloatMatrix gradient = out(0).floats();
        backend.importance_backward(log_variance_of(in(0).floats()), in(1).floats(), in(2).floats(),
                                    in(3).floats(), in(4).floats().data, static_cast<float>(with.pass.beta),
                                    mean_of(gradient), log_variance_of(gradient));
    }
    void operator()(const ImportanceWeights&) const {
        backend.importance_weights(
            column(in(0)), column(in(1)), with.pass.draws, static_cast<float>(with.pass.beta),
            static_cast<float>(with.pass.sample_weight), out(0).floats().data, out(1).floats().data);
    }

    void operator()(const Density& op) const {
        backend.density(op.density, {.output = in(0).floats(),
                                     .x = in(1).floats(),
                                     .shared = op.density.shared ? in(2).floats().data : nullptr,
                                     .log_likelihood = out(0).floats().data});
    }
    void operator()(const DensityGradient& op) const {
        const bool shared = op.density.shared;
        backend.density(op.density, {.output = in(0).floats(),
                                     .x = in(1).floats(),
                                     .shared = shared ? in(2).floats().data : nullptr,
                                     .weights = in(shared ? 3 : 2).floats().data,
                                     .log_likelihood = out(0).floats().data,
                                     .gradient = out(1),
                                     .shared_gradient = shared ? out(2).floats().data : nullptr});
    }
    void operator()(const DensityParameters& op) const {
        backend.density_parameters(op.density, in(0).floats(), out(0).floats());
    }

    void operator()(const SampleWeights&) const {
        backend.fill(column(out(0)), static_cast<float>(with.pass.sample_weight));
    }
    void operator()(const Concatenate&) const {
        std::int64_t column = 0;
        for (const ConstOperand& input : with.inputs) {
            backend.convert(input.floats(), out(0).column_block(column, input.columns()));
            column += input.columns();
        }
    }
    void operator()(const TakeColumns& take) const {
        backend.convert(in(0).floats().column_block(take.first, take.count), out(0));
    }
    void operator()(const Add&) const {
        const FloatMatrix sum = out(0).floats();
        if (sum.data != in(0).floats().data) backend.convert(in(0).floats(), sum);
        const ConstFloatMatrix more = in(1).floats();
        backend.add({more.data, static_cast<std::size_t>(more.size())},
                    {sum.data, static_cast<std::size_t>(sum.size())});
    }
    void operator()(const Round&) const { backend.convert(in(0).floats(), out(0)); }
    void operator()(const SumTerm& sum) const {
        const bool of_draws = with.pass.draws > 1 && in(0).rows() == with.pass.rows * with.pass.draws;
        backend.sum(column(in(0)), of_draws ? static_cast<double>(with.pass.draws) : 1.0,
                    with.terms + sum.term);
    }
};

}  // namespace

void run(Backend& backend, const Operation& operation, const Arguments& arguments) {
    operation.visit(Runner{backend, arguments});
}

}  // namespace vae_dist
