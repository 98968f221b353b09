#!/usr/bin/env bash
# Packages and Release build as in quickstart.sh, then every test. While the Release build's tests run, which often wait, the
# other builds are made: one for processors with AVX2 alone; the debug build, which has sanitizers; one under the thread
# sanitizer; the program with CUDA, where that is installed, with Clang, and linked in search of classes of one name.
# clang-format and clang-tidy look at the sources.
# Then those builds' own tests run. With arguments, which go to ctest, the Release build's tests alone:
# launch/test.sh -R mpi_contract
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/launch/setup.sh" --for-tests

run_tests() {
    local build="$1"
    shift
    ctest --test-dir "$root/build/$build" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
}

if (($#)); then
    run_tests release "$@"
    exit
fi

# Each part is a process group of its own, so that a signal to this script ends what it has started.
set -m
others= now=
end_what_runs() {
    local group
    for group in $others $now; do kill -- "-$group" 2>/dev/null || true; done
}
trap end_what_runs EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

failures="$root/build/failed_parts"
: >"$failures"
# A part of what follows: the others go on where one fails.
part() {
    local name="$1"
    shift
    "$@" </dev/null &
    now=$!
    wait "$now" || printf '%s\n' "$name" >>"$failures"
    now=
}

has_cuda() { command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]]; }

trains_an_epoch() {
    local build="$root/build/$1"
    rm -rf "$build/run"
    ASAN_OPTIONS=detect_leaks=0 "$build/vae_dist" "$root/configs/synthetic.yaml" --set train.epochs=1 \
        --set "output.directory=$build/run"
}

builds_and_trains() {
    "$root/launch/setup.sh" --preset "$@" && trains_an_epoch "$1"
}

builds_with_cuda() {
    has_cuda || {
        echo "SKIPPED: the build with CUDA, for there is no nvcc here"
        return
    }
    "$root/launch/setup.sh" --preset cuda vae_dist cuda_tests && "$root/build/cuda/vae_dist" --version
}

builds_with_clang() {
    command -v clang++ >/dev/null || {
        echo "SKIPPED: the build with Clang, for there is none here"
        return
    }
    builds_and_trains clang vae_dist
}

# What needs nothing but cores, and leaves them to the tests.
build_the_others() {
    renice -n 19 -p "$BASHPID" >/dev/null
    set +m
    part "the build for processors with AVX2 alone" "$root/launch/setup.sh" --preset x86-64-v3 vae_dist backend_test
    part "the debug build, or its epoch" builds_and_trains debug vae_dist unit_tests gpu_tests
    part "the build under the thread sanitizer" "$root/launch/setup.sh" --preset tsan thread_tests
    part "the search for classes of one name" "$root/launch/setup.sh" --preset odr vae_dist
    part "the build with CUDA" builds_with_cuda
    part "the build with Clang, or its epoch" builds_with_clang
    part "clang-format or clang-tidy" "$root/launch/check_sources.sh"
}

# Open MPI leaks; that ours does not, tests see by other means.
tests_under_sanitizers() {
    ASAN_OPTIONS=detect_leaks=0 run_tests debug --label-regex '^(unit|gpu)$'
}

threads_under_the_thread_sanitizer() {
    TSAN_OPTIONS="suppressions=$root/tests/tsan.supp:allocator_may_return_null=1" run_tests tsan --label-regex '^threads$'
}

cuda_tests() {
    ! has_cuda || run_tests cuda --label-regex '^cuda$'
}

# As on a processor without AVX-512: built for AVX2, and with oneDNN limited to it.
operations_with_avx2() {
    local program="$root/build/x86-64-v3/tests/unit/backend/backend_test"
    "$program" --gtest_brief=1 && DNNL_MAX_CPU_ISA=AVX2 "$program" --gtest_brief=1
}
runs_with_avx2() {
    DNNL_MAX_CPU_ISA=AVX2 VAE_DIST_PROGRAM="$root/build/x86-64-v3/vae_dist" \
        run_tests release --tests-regex '^(same_result|resume|stop|signals|golden)_test'
}

build_the_others >"$root/build/others.log" 2>&1 </dev/null &
others=$!
part "the Release build's tests" run_tests release
wait "$others"
others=
grep -E 'SKIPPED|LEFT OUT|clang-tidy on' "$root/build/others.log" || true
if [[ -s $failures ]]; then cat "$root/build/others.log"; fi
part "tests of the build with CUDA" cuda_tests
part "operations on processors with AVX2 alone" operations_with_avx2
part "runs on processors with AVX2 alone" runs_with_avx2
part "what has threads, under the thread sanitizer" threads_under_the_thread_sanitizer
part "unit tests, and what is for GPUs, under sanitizers" tests_under_sanitizers
[[ ! -s $failures ]] || {
    sed 's/^/FAILED: /' "$failures" >&2
    exit 1
}
