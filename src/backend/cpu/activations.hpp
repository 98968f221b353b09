#pragma once

// Activations of blocks.
#include "backend/cpu/blocks.hpp"
#include "vae_dist/pointwise/activations.hpp"
