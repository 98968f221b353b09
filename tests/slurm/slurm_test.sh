#!/usr/bin/env bash
# Runs of vae_dist on a real Slurm cluster of two hosts with two slots each, disturbed in every way; each must end with the
# same bits as an undisturbed run of one rank outside of it.
#
#   slurm_test.sh FOLDER VAE_DIST SCENARIO [VAE_DIST_ON_GPUS]     the scenarios are the functions at the end
#
# start, reference ... stop, in the order of CMakeLists.txt. The links are so slow (rate) that a step on two hosts takes about
# a tenth of a second on any machine: there is always a middle to disturb.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd -- "$here/../.." && pwd)"
folder=$(realpath -m -- "$1")
vae_dist=$(realpath -- "$2")
scenario=$3
# Slurm and ssh commands take no blanks in their paths, which those of the project may have.
cluster_folder=${TMPDIR:-/tmp}/vae_dist_slurm.$(cksum <<<"$folder" | cut -d" " -f1)
rate=20mbit
steps=120
job='' submitted=$SECONDS last_state=''

say() { printf '%s\n' "$*"; }
fail() {
    say "FAILED: $*"
    tail -n 40 "$folder/runs/$scenario"*.log 2>/dev/null || true
    exit 1
}

cluster() {
    local command=$1
    shift
    "$here/cluster" "$command" "$cluster_folder" "$@"
}
slurm() { cluster run "$@"; }

write_rows() { # ROWS SEED: zeros and ones, 64 a row
    awk -v rows="$1" -v seed="$2" 'BEGIN {
        srand(seed)
        for (i = 0; i < rows; ++i) {
            shift = int(7 * rand())
            for (j = 0; j < 64; ++j)
                printf "%s%d", j ? "," : "", rand() < ((j + shift) % 7 < 3 ? 0.8 : 0.2)
            print ""
        }
    }'
}

write_run() {
    write_rows 2000 1 >train.csv
    write_rows 200 2 >test.csv
    "$vae_dist" import csv train.csv --out rows.h5:train/x
    "$vae_dist" import csv test.csv --out rows.h5:test/x
    cat >run.yaml <<YAML
data:
  train: {files: [rows.h5], dataset: train/x}
  validation: {files: [rows.h5], dataset: test/x}
model: {latent_dim: 8, encoder: {hidden: [128]}, decoder: {hidden: [128]}}
train: {steps: $steps, batch_size: 200, virtual_ranks: 4, seed: 1}
output: {directory: reference, log_every: 1, checkpoint_every: 4, checkpoint_every_minutes: 0.01, keep: 2}
YAML
}

# LAUNCHER SBATCH_OPTIONS... -- ARGUMENTS...: sets `job`. What the job prints is in SCENARIO-JOB.log.
submit() {
    local launcher=$1 options=()
    shift
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    job=$(VAE_DIST=$vae_dist VAE_DIST_LAUNCHER=$launcher slurm sbatch --parsable --output="$scenario-%A_%a.log" \
        --mincpus=2 "${options[@]}" "$root/launch/train.sbatch" run.yaml --set "output.directory=$scenario" "$@")
    submitted=$SECONDS last_state=''
}

# Sets `state` such as RUNNING and says it where it has changed.
look() {
    local record hosts reason
    record=$(slurm scontrol show job -o "$job")
    state=$(sed -E 's/.* JobState=(\S+) .*/\1/' <<<"$record")
    reason=$(sed -E 's/.* Reason=(\S+) .*/\1/' <<<"$record")
    hosts=$(sed -E 's/.* NodeList=(\S*) .*/\1/' <<<"$record")
    local now="$state on ${hosts:-nothing} ($reason)"
    [[ $now == "$last_state" ]] || say "  $((SECONDS - submitted)) s: job $job $now"
    last_state=$now
}

step_of() { # DIRECTORY: the newest step in its metrics
    { tail -n 2 "$1/metrics.jsonl" 2>/dev/null || true; } | sed -nE 's/.*"step":([0-9]+),.*/\1/p' | tail -n 1
}

until_step() {
    local i step
    for ((i = 0; i < 600; ++i)); do
        [[ -z $job ]] || look
        step=$(step_of "$scenario")
        if ((${step:-0} >= $1)); then
            say "  $((SECONDS - submitted)) s: step $step"
            return
        fi
        sleep 0.1
    done
    fail "it does not come to step $1"
}

until_state() { # REGULAR EXPRESSION
    local i
    for ((i = 0; i < 600; ++i)); do
        look
        [[ ! $state =~ ^($1)$ ]] || return 0
        [[ ! $state =~ ^(FAILED|CANCELLED|TIMEOUT|NODE_FAIL|COMPLETED)$ ]] || fail "it is $state"
        sleep 0.2
    done
    fail "it stays $state"
}

job_says() { sed -n 's/^train.sbatch:/  | &/p' "$scenario-"*.log; }
count() { grep -c "$1" "$scenario-$job"_*.log || true; }

expect_starts() { # AT_LEAST
    job_says
    [[ $(count '^train.sbatch: start') -ge $1 ]] || fail "expected at least $1 starts"
}

expect_same_result() { # RUN [REFERENCE]
    local run=$1 reference=${2:-reference} file
    for file in "checkpoints/step_$(printf %010d $steps).h5" best.h5; do
        h5diff "$run/$file" "$reference/$file" || fail "h5diff: $run/$file differs"
        cmp "$run/$file" "$reference/$file" || fail "the bits of $run/$file differ"
        say "  h5diff and cmp: $run/$file equals $reference/$file"
    done
    # All but the last two fields, which are times.
    diff <(sed -E 's/(,"[a-z_]*seconds?[a-z_]*":[^,}]*|,"samples_per_second":[^,}]*)+\}$//' "$run/metrics.jsonl") \
        <(sed -E 's/(,"[a-z_]*seconds?[a-z_]*":[^,}]*|,"samples_per_second":[^,}]*)+\}$//' "$reference/metrics.jsonl") ||
        fail "the metrics differ"
    say "  and so do the metrics' $(wc -l <"$run/metrics.jsonl") lines"
    local left
    left=$(find "$run" -name '*.vae_dist-tmp')
    [[ -z $left ]] || fail "temporary files are left: $left"
}

# --- scenarios ---

start() {
    rm -rf "$folder/runs" "$cluster_folder"
    mkdir -p "$folder/runs"
    # Its parent, which it ends with, must outlive this script.
    exec "$here/cluster" up "$cluster_folder" 2 "$rate"
}

reference() {
    write_run
    "$vae_dist" run.yaml | tail -n 1
}

undisturbed() { # LAUNCHER
    submit "$1" --nodes=2 --
    until_state COMPLETED
    expect_starts 1
    expect_same_result "$scenario"
}
undisturbed_srun() { undisturbed srun; }
undisturbed_mpirun() { undisturbed mpirun; }

# Saved at the signal that comes before the end (--signal=B:USR1@120), here sent by hand.
asked() {
    submit mpirun --nodes=2 --
    until_step 40
    slurm scancel --batch --signal=USR1 "$job"
    until_state PENDING
    until_state COMPLETED
    expect_starts 2
    [[ $(count 'ended with status 75') == 1 ]] || fail "no status 75"
    expect_same_result "$scenario"
}

requeued() {
    submit srun --nodes=2 --
    until_step 40
    slurm scontrol requeue "$job"
    until_state PENDING
    until_state COMPLETED
    expect_starts 2
    [[ $(count 'ended with status 75') == 1 ]] || fail "no status 75: it was not given the time to save"
    expect_same_result "$scenario"
}

# A job of the urgent partition takes the hosts.
preempted() {
    submit mpirun --nodes=2 --
    until_step 40
    slurm sbatch --partition=urgent --nodes=2 --ntasks-per-node=2 --output=/dev/null --wrap="sleep 1"
    until_state PENDING
    until_state COMPLETED
    expect_starts 2
    [[ $(count 'ended with status 75') == 1 ]] || fail "no status 75: it was not given the time to save"
    expect_same_result "$scenario"
}

time_limit() {
    # The limit stands in the checkpoint, as all of the configuration but the folder does: another reference.
    "$vae_dist" run.yaml --set train.time_limit=5s --set output.directory=limited | tail -n 1
    submit srun --nodes=2 -- --set train.time_limit=5s
    until_state COMPLETED
    expect_starts 2
    expect_same_result "$scenario" limited
}

# The second host loses power: link and processes are gone at once. What is left finishes.
lost_host() {
    submit "$1" --nodes=1-2 --
    until_step 40
    cluster lose h2
    say "  $((SECONDS - submitted)) s: h2 is lost"
    until_state PENDING
    until_state COMPLETED
    cluster boot h2
    expect_starts 2
    [[ $(count 'start 2.* 2 ranks .* on h1$') == 1 ]] || fail "it was not finished by two ranks on h1"
    expect_same_result "$scenario"
}
lost_host_srun() { lost_host srun; }
lost_host_mpirun() { lost_host mpirun; }

cancelled() {
    submit srun --nodes=2 --
    until_step 40
    slurm scancel "$job"
    until_state CANCELLED
    sleep 8 # longer than what is requeued waits
    look
    [[ $state == CANCELLED ]] || fail "it is $state"
    expect_starts 1
    [[ $(find "$scenario/checkpoints" -name 'step_*.h5') ]] || fail "nothing is saved"
}

array() {
    submit srun --nodes=1 --array=1-2 -- --set train.seed=%a --set output.directory=array%a
    local task
    for task in 1 2; do
        last_state=''
        job=${job%_*}_$task
        until_state COMPLETED
    done
    job_says
    "$vae_dist" run.yaml --set train.seed=2 --set output.directory=reference2 | tail -n 1
    expect_same_result array1
    expect_same_result array2 reference2
}

# Without Slurm: launch/local.sh on the same two hosts, one of which loses power.
supervised() {
    printf '#!/bin/sh\nexec "%s" ssh "%s" "$@"\n' "$here/cluster" "$cluster_folder" >"$cluster_folder/reach"
    chmod +x "$cluster_folder/reach"
    VAE_DIST=$vae_dist slurm "$root/launch/local.sh" --hosts h1:2,h2:2 --ssh "$cluster_folder/reach" \
        run.yaml --set output.directory=supervised >supervised.log 2>&1 &
    until_step 40
    cluster lose h2
    say "  h2 is lost"
    local status=0
    wait $! || status=$?
    cluster boot h2
    sed -n 's/^local.sh:/  | &/p' supervised.log
    ((status == 0)) || fail "exit status $status"
    grep -q '^local.sh: start 2: 2 ranks on h1:2$' supervised.log || fail "it was not finished by two ranks on h1"
    expect_same_result supervised
}

# As far as Slurm goes: it hands out GPUs that there are none of, and the program runs on a stand-in for them.
on_gpus() {
    local program=$1
    export VAE_DIST_STAND_IN_DEVICES=2
    job=$(VAE_DIST=$program slurm sbatch --parsable --output="$scenario-%A_%a.log" --nodes=2 --gpus-per-node=2 \
        --ntasks-per-node=2 --cpus-per-task=1 "$root/launch/train_gpu.sbatch" run.yaml --set "output.directory=$scenario")
    submitted=$SECONDS last_state=''
    until_state COMPLETED
    expect_starts 1
    # Two at a time, both of which each rank sees: it takes the one of its number.
    slurm srun --mpi=pmix --nodes=2 --ntasks-per-node=2 --gpus-per-node=2 "$program" check run.yaml >check.log
    sed -n '/computes on/,/^model/p' check.log | sed 's/^/  | /'
    [[ $(grep -cE '(computes on|   ) *rank [0-3] \(h[12]\): .*GPU-' check.log) == 4 ]] || fail "not every rank has a GPU"
    [[ $(grep -oE 'GPU-[0-9a-f-]+' check.log | sort -u | wc -l) == 4 ]] || fail "ranks share a GPU"
    "$program" run.yaml --set compute.backend=cuda --set output.directory=reference_gpus | tail -n 1
    expect_same_result on_gpus reference_gpus
}

stop() {
    cluster down
    rm -rf "$folder" "$cluster_folder"
}

[[ $(type -t "$scenario") == function ]] || { say "no such scenario: $scenario"; exit 2; }
if [[ $scenario != start ]]; then
    if [[ ! -e $cluster_folder/ready ]]; then
        say "skipped: there is no cluster; slurm.start says why"
        exit 77
    fi
    cd -- "$folder/runs"
fi
"$scenario" "${@:4}"
