#!/usr/bin/env bash
# Installs the Debian packages that are missing, then builds Release into build/release: all of it, or the targets that are
# named (launch/setup.sh vae_dist). Before them may stand --for-tests, for packages that only tests need, and --preset NAME, to
# build another one of CMakePresets.json into build/NAME: cuda is for GPUs. Costs seconds where all is there.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
cd -- "$root"

packages=(
    build-essential cmake ninja-build pkg-config
    openmpi-bin libopenmpi-dev                    # MPI
    libhdf5-dev hdf5-tools                        # data and checkpoints
    libeigen3-dev libdnnl-dev                     # linear algebra
    libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
    librandom123-dev zlib1g-dev libpng-dev
    libgtest-dev
    procps                                        # local.sh
    dataset-fashion-mnist                         # what quickstart.sh trains on
)
preset=release
if [[ ${1:-} == --for-tests ]]; then
    shift
    packages+=(clang clang-format clang-tidy-16)
    # A Slurm cluster on this machine. As another user than root it cannot run, so its services need not be there.
    ((EUID)) || packages+=(slurm-wlm munge iproute2 util-linux)
fi
if [[ ${1:-} == --preset ]]; then
    preset="${2:?a preset has a name}"
    shift 2
fi

fail() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || printf '%s\n' "$package"
    done
}

install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        printf 'This is not Debian: nothing is installed. Needed are the packages that Debian calls %s.\n' "${packages[*]}"
        return
    fi
    local missing
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0

    local how="as root: apt-get update && apt-get install ${missing[*]}"
    command -v apt-get >/dev/null || fail "no apt-get here; packages missing: ${missing[*]}"
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "packages are missing, and there is no sudo; $how"
        as_root=(sudo)
        [[ -t 0 ]] || as_root=(sudo -n) # nobody is there to type a password
        "${as_root[@]}" true || fail "packages are missing, and sudo does not let you install them; $how"
    fi

    echo "Installing ${missing[*]}"
    local quietly=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    "${as_root[@]}" "${quietly[@]}" update ||
        fail "cannot read the package lists (no network?); packages missing: ${missing[*]}"
    "${as_root[@]}" "${quietly[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null ||
        fail "cannot install the packages; what apt-get says is above. By hand, $how"
}

build() {
    [[ -w . && (! -e build || -w build) ]] || fail "cannot write to $root/build; build in a copy of your own"
    local configure=(cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)")
    # A copied or moved folder brings a cache with the paths of the old one.
    local cache=build/$preset/CMakeCache.txt
    if [[ -e $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
        configure+=(--fresh)
    fi
    export CCACHE_SLOPPINESS=pch_defines,time_macros # or it compiles tests, which have precompiled headers, each time
    mkdir -p build
    "${configure[@]}" >build/configure.log 2>&1 || {
        cat build/configure.log >&2
        fail "cannot configure the build; the reason is above"
    }
    cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} || fail "cannot build; the reason is above"
}

install_packages
build "$@"
