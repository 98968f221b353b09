#!/usr/bin/env bash
# Packages and Release build as in quickstart.sh, then every test. First what is for GPUs: under sanitizers, on the stand-in
# for CUDA; and built by CUDA's compiler where that is installed. With arguments, which go to ctest, the Release build's tests
# alone: launch/test.sh -R mpi_contract
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/launch/setup.sh" --for-tests

run_tests() {
    local build="$1"
    shift
    ctest --test-dir "$root/build/$build" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
}

with_sanitizers() {
    "$root/launch/setup.sh" --preset asan gpu_tests
    # Open MPI leaks; that ours does not, tests see by other means.
    ASAN_OPTIONS=detect_leaks=0 run_tests asan --label-regex '^gpu$'
}

with_cuda() {
    if ! command -v nvcc >/dev/null && [[ ! -x /usr/local/cuda/bin/nvcc ]]; then
        echo "SKIPPED: the build with CUDA, for there is no nvcc here"
        return
    fi
    "$root/launch/setup.sh" --preset cuda vae_dist cuda_tests
    "$root/build/cuda/vae_dist" --version
    run_tests cuda --label-regex '^cuda$'
}

failed=()
if (($# == 0)); then
    with_sanitizers || failed+=("GPUs' code under sanitizers")
    with_cuda || failed+=("the build with CUDA")
fi
run_tests release "$@" || failed+=("the Release build")
((${#failed[@]} == 0)) || {
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
}
