#!/usr/bin/env bash
# From a bare Debian 12 to a trained VAE and what it is good for: packages, Release build, Fashion-MNIST as HDF5, training on
# two ranks, evaluation, pictures of samples and reconstructions. Run again, it trains no further.
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

run=runs/fashion
echo
echo "The trained model on 1000 images that it was not trained on:"
mpirun -np 2 "$vae_dist" evaluate $run/best.h5 --data fashion.h5:test/x --limit 1000 --importance-samples 100 \
    --out $run/evaluation.json --force
"$vae_dist" generate $run/best.h5 --count 100 --out $run/samples.h5 --png $run/samples.png --force
"$vae_dist" reconstruct $run/best.h5 --data fashion.h5:test/x --limit 1000 --png $run/reconstructions.png --force

cat <<END

Done. Look at
  $root/$run/samples.png           new images, drawn from the prior
  $root/$run/reconstructions.png   test images, each above its reconstruction
Beside them are evaluation.json, metrics.jsonl, best.h5 and checkpoints/. From $root, try
  $vae_dist generate $run --traverse --png traversal.png
  $vae_dist encode $run --data fashion.h5:test/x --out latents.h5
  mpirun -np 2 $vae_dist configs/fashion.yaml --set output.directory=runs/wide --set model.latent_dim=64
configs/README.md and $vae_dist keys explain every key.
END
