#!/usr/bin/env bash
# What launch/train.sbatch hands to the program, without Slurm:  sbatch_arguments_test.sh CASE   the cases are the functions at the end
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"

# Stands for mpirun: leaves out all up to the program, and writes what follows it, a line each.
mkdir bin
cat >bin/mpirun <<'SH'
#!/bin/sh
until [ "$1" = /bin/true ]; do shift; done
shift
printf '%s\n' "$@" >arguments
SH
chmod +x bin/mpirun
export PATH="$folder/bin:$PATH" VAE_DIST=/bin/true VAE_DIST_LAUNCHER=mpirun SLURM_SUBMIT_DIR=$folder SLURM_JOB_ID=7
export SLURM_TASKS_PER_NODE=1 SLURM_JOB_NODELIST=here SLURM_JOB_NUM_NODES=1 SLURMD_NODENAME=here
unset SLURM_ARRAY_TASK_ID VALUES

fail() {
    echo "FAILED: $*"
    cat said || true
    exit 1
}

submit() { # STATUS ARGUMENTS...
    local expected=$1 status=0
    shift
    rm -f arguments
    "$root/launch/train.sbatch" "$@" >said 2>&1 || status=$?
    [[ $status == "$expected" ]] || fail "exit status $status rather than $expected"
}

expect_arguments() {
    printf '%s\n' "$@" | cmp - arguments || fail "other arguments: $(cat arguments)"
}

expect_refused() { # TEXT
    grep -qF -- "$1" said || fail "not said: $1"
    [[ ! -e arguments ]] || fail "it was started"
}

# --- cases ---

replaces_the_index_and_the_value() {
    SLURM_ARRAY_TASK_ID=2 VALUES="8 16 32" submit 0 run.yaml --set model.latent_dim=%v --set output.directory=runs/%a-%v
    expect_arguments run.yaml --set model.latent_dim=16 --set output.directory=runs/2-16
    SLURM_ARRAY_TASK_ID=3 VALUES="8 16 32" submit 0 run.yaml --set model.latent_dim=%v
    expect_arguments run.yaml --set model.latent_dim=32
}

leaves_other_arguments_as_they_are() {
    submit 0 run.yaml --set 'output.directory=runs/a b%'
    expect_arguments run.yaml --set 'output.directory=runs/a b%'
}

refuses_what_it_did_not_replace() {
    submit 2 run.yaml --set train.seed=%a
    expect_refused "'train.seed=%a': %a was not replaced"
    VALUES="8 16" submit 2 run.yaml --set model.latent_dim=%v
    expect_refused "'model.latent_dim=%v': %v was not replaced"
    SLURM_ARRAY_TASK_ID=1 submit 2 run.yaml --set output.directory=runs/%v
    expect_refused "'output.directory=runs/%v': %v was not replaced"
}

refuses_an_index_that_VALUES_does_not_have() {
    local index
    for index in 0 3; do
        SLURM_ARRAY_TASK_ID=$index VALUES="8 16" submit 2 run.yaml --set model.latent_dim=%v
        expect_refused "VALUES has no number $index; --array=1-2 goes with it"
    done
}

[[ $(type -t "$1") == function ]] || fail "no such case: $1"
"$1"
