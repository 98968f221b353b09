#!/usr/bin/env bash
# Packages and Release build as in quickstart.sh, then every test. First what is for GPUs: under sanitizers, on the stand-in
# for CUDA; and built by CUDA's compiler where that is installed. While the Release build's tests run, which often wait,
# clang-format and clang-tidy look at the sources, Clang builds the program, and the debug build is made; then its unit tests
# run, and operations and whole runs as on a processor with AVX2 alone. With arguments, which go to ctest, the Release build's
# tests alone: launch/test.sh -R mpi_contract
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

trains_an_epoch() {
    local build="$root/build/$1"
    rm -rf "$build/run"
    "$build/vae_dist" "$root/configs/synthetic.yaml" --set train.epochs=1 --set "output.directory=$build/run"
}

with_clang() {
    if ! command -v clang++ >/dev/null; then
        echo "SKIPPED: the build with Clang, for there is none here"
        return
    fi
    "$root/launch/setup.sh" --preset clang vae_dist && trains_an_epoch clang
}

# What needs nothing but cores, and leaves them to the tests.
look_at_sources_and_build() {
    local status=0
    renice -n 19 -p "$BASHPID" >/dev/null
    "$root/launch/setup.sh" --preset debug vae_dist unit_tests odr || status=1 # odr: classes of one name
    trains_an_epoch debug || status=1
    with_clang || status=1
    "$root/launch/setup.sh" --preset x86-64-v3 vae_dist backend_test || status=1
    "$root/launch/check_sources.sh" || status=1
    return "$status"
}

# As on a processor without AVX-512: built for AVX2, and with oneDNN limited to it. Then the build
# alone and the limit alone.
with_avx2() {
    local program="$root/build/x86-64-v3/vae_dist" status=0
    "$root/build/x86-64-v3/tests/unit/backend/backend_test" --gtest_brief=1 || status=1
    DNNL_MAX_CPU_ISA=AVX2 "$root/build/x86-64-v3/tests/unit/backend/backend_test" --gtest_brief=1 || status=1
    DNNL_MAX_CPU_ISA=AVX2 VAE_DIST_PROGRAM="$program" \
        run_tests release --tests-regex '^(same_result|resume|stop|signals)_test' || status=1
    VAE_DIST_PROGRAM="$program" run_tests release --tests-regex '^same_result_test' || status=1
    DNNL_MAX_CPU_ISA=AVX2 run_tests release --tests-regex '^same_result_test' || status=1
    return "$status"
}

failed=()
meanwhile=
if (($# == 0)); then
    with_sanitizers || failed+=("GPUs' code under sanitizers")
    with_cuda || failed+=("the build with CUDA")
    set -m # a process group of its own, to be ended with this script
    look_at_sources_and_build >"$root/build/meanwhile.log" 2>&1 &
    meanwhile=$!
    set +m
    trap 'kill -- "-$meanwhile" 2>/dev/null || true' EXIT
fi
run_tests release "$@" || failed+=("the Release build")
if [[ -n $meanwhile ]]; then
    if wait "$meanwhile"; then
        grep -E 'SKIPPED|LEFT OUT|clang-tidy on' "$root/build/meanwhile.log" || true
    else
        cat "$root/build/meanwhile.log"
        failed+=("the debug build, its look at classes of one name, the build with Clang, clang-format, clang-tidy or the build for AVX2")
    fi
    with_avx2 || failed+=("what runs on processors with AVX2 alone")
    run_tests debug --label-regex '^unit$' || failed+=("unit tests of the debug build")
fi
((${#failed[@]} == 0)) || {
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
}
