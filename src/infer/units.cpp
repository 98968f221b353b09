#include "vae_dist/infer/units.hpp"

namespace vae_dist {

const char* name_of(Units units) {
    return units == Units::data ? "data" : "model";
}

}  // namespace vae_dist
