#pragma once

namespace vae_dist {

/// Numbers of samples as the model has them, after scale and transform, or as the data had them.
enum class Units { model, data };

/// "model", "data".
const char* name_of(Units units);

}  // namespace vae_dist
