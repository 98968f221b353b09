#!/usr/bin/env bash
# From a bare Debian 12 to a trained VAE: packages, Release build, Fashion-MNIST as HDF5, training on two ranks.
# Run again, it does only what is not done.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/launch/setup.sh" vae_dist
cd -- "$root"

fail() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

idx=/usr/share/datasets/fashion-mnist
vae_dist=build/release/vae_dist

if [[ ! -e fashion.h5 ]]; then
    [[ -e $idx/train-images-idx3-ubyte.gz ]] || fail "no Fashion-MNIST in $idx (Debian: dataset-fashion-mnist)"
    # Under another name until it is complete, so that an import cut short is not taken for a whole one.
    rm -f fashion.partial.h5
    "$vae_dist" import idx "$idx/train-images-idx3-ubyte.gz" --labels "$idx/train-labels-idx1-ubyte.gz" \
        --out fashion.partial.h5:train/x
    "$vae_dist" import idx "$idx/t10k-images-idx3-ubyte.gz" --labels "$idx/t10k-labels-idx1-ubyte.gz" \
        --out fashion.partial.h5:test/x
    mv fashion.partial.h5 fashion.h5
fi

# Two ranks even in a container with one core, and as root, which Open MPI refuses unless told twice.
export OMPI_MCA_rmaps_base_oversubscribe=1
if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

status=0
mpirun -np 2 "$vae_dist" configs/fashion.yaml || status=$?
if ((status == 75)); then
    echo "Stopped early, state saved: the same command goes on from there."
fi
((status == 0)) || exit "$status"

cat <<END

Done. Results are in $root/runs/fashion: metrics.jsonl, checkpoints/, best.h5. From $root, try
  $vae_dist inspect runs/fashion/best.h5
  $vae_dist check configs/fashion.yaml
  mpirun -np 2 $vae_dist configs/fashion.yaml --set output.directory=runs/wide --set model.latent_dim=64
configs/README.md explains every key.
END
