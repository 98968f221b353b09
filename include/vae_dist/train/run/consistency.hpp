#pragma once

#include <cstdint>

#include "vae_dist/backend/backend.hpp"
#include "vae_dist/comm/communicator.hpp"
#include "vae_dist/config/config.hpp"
#include "vae_dist/core/program.hpp"
#include "vae_dist/data/rows/row_source.hpp"
#include "vae_dist/graph/parameters.hpp"

namespace vae_dist {

// Whether all ranks do the same work. Each of the functions is collective and throws on all ranks, marked so,
// an error that names a rank that differs from rank 0, or from the others, and in what. Else a launch with
// two configurations, builds or data sets, or a machine that errs, would train garbage into all of them.

/// Input error unless all ranks run the same executable; where one cannot be read, the same version.
void require_same_program(Communicator& communicator, const ProgramBuild& mine = this_program());

/// Input error, with the keys that differ and both values, unless all have the same configuration but for
/// paths: data may lie elsewhere on each machine.
void require_same_on_all_ranks(const Config& config, Communicator& communicator);

/// Input error unless all see the same data: shape, type and blocks, names (without folders) and sizes of
/// files, and the contents of the first, the middle and the last row. `key` names them in the message.
void require_same_on_all_ranks(RowSource& data, const char* key, Communicator& communicator);

/// CRC-32 of the parameters that every rank has: their values; in a bfloat16 run the operands, then the
/// values of vectors.
std::uint32_t parameter_checksum(const ParameterLayout& layout, const ParameterStore& store,
                                 Backend& backend);

/// Failure, with `step`, that came after, and the machine, unless all ranks have the checksum that most have;
/// where as many have another, rank 0's.
void require_equal_parameters(std::uint32_t checksum, std::int64_t step, Communicator& communicator);

}  // namespace vae_dist
