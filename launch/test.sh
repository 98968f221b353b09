#!/usr/bin/env bash
# Packages and Release build as in quickstart.sh, then every test. Arguments go to ctest: launch/test.sh -R mpi_contract
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/launch/setup.sh" --for-tests
exec ctest --test-dir "$root/build/release" --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
