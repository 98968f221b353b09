#include "vae_dist/infer/encode.hpp"

#include "infer/command_output.hpp"
#include "infer/host_copy.hpp"
#include "infer/nonfinite_rows.hpp"
#include "infer/result_layout.hpp"
#include "infer/slices.hpp"
#include "vae_dist/comm/agreement.hpp"
#include "vae_dist/core/error.hpp"
#include "vae_dist/core/shape.hpp"
#include "vae_dist/core/text.hpp"
#include "vae_dist/infer/ordered_work.hpp"

namespace vae_dist {

void encode(const TrainedModel& model, const InferenceDataOptions& options, const OutputOptions& output,
            Communicator& communicator, const Log& log) {
    CommandOutput out(output, "");
    run_on_first_rank(communicator, [&] {
        if (!out.has_file()) throw_input_error("encode needs a file to write to (--out)");
        out.check(files_read(model, options.dataset));
    });
    const std::int64_t slice_rows = most_slice_rows(element_count(model.row_shape()));
    InferenceData data(options, slice_rows, model, communicator, log);
    const std::int64_t z = model.latent_dim();
    run_on_first_rank(communicator, [&] {
        out.open({.command = "encode",
                  .data = data.name(),
                  .data_rows = data.rows(),
                  .seed = model.config().train.seed},
                 model);
        out.file().file().write_attribute("/", "data_scale", data.scale());
        out.file().add("mean", data.rows(), {z});
        out.file().add("log_variance", data.rows(), {z});
    });
    run_together(communicator, [&] { model.vae().reserve_inference(slice_rows); });

    const ResultLayout layout({z, z});
    const auto compute = [&](const RowRange& range) {
        std::vector<std::byte> result = layout.allocate(range.rows);
        for (const RowRange& slice : slices_of(range, slice_rows)) {
            const InferenceData::Samples samples = data.load(slice);
            const Posterior posterior = model.vae().encode(samples.x, samples.conditions);
            const std::int64_t first = slice.first - range.first;
            copy_to_host(model.backend(), posterior.mean, layout.part(result, 0, first, slice.rows));
            copy_to_host(model.backend(), posterior.log_variance, layout.part(result, 1, first, slice.rows));
        }
        return result;
    };
    NonFiniteRows nonfinite;
    const auto take = [&](const RowRange& range, std::span<const std::byte> result) {
        nonfinite.look_at(range.first, layout.part(result, 0), z);
        for (std::size_t array = 0; array < 2; ++array)
            out.file().append(array, layout.part(result, array));
    };
    work_in_order(data.ranges(layout.range_rows(slice_rows)), compute, take, communicator);
    run_on_first_rank(communicator, [&] {
        out.commit(std::nullopt);
        nonfinite.warn(data.name(), log);
        log.info("encoded {} of {}: mean, log_variance ({}, {}) in {}", counted(data.rows(), "sample"),
                 data.name(), data.rows(), z, out.where(0, data.rows()));
    });
}

}  // namespace vae_dist
