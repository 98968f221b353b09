#!/usr/bin/env bash
# launch/local.sh, the supervisor:  local_sh_test.sh VAE_DIST CASE     the cases are the functions at the end
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
VAE_DIST=$(realpath -- "$1")
export VAE_DIST
# What is started last is under way, and in the middle, when it is disturbed: many short steps.
steps=30000

folder=$(mktemp -d)
supervisor=

# Ranks and mpirun of this test: the folder stands in their arguments.
processes() { pgrep -f -- "$folder/" || true; }

finish() {
    local process
    for process in $supervisor $(processes); do
        kill -KILL "$process" 2>/dev/null || true
    done
    rm -rf -- "$folder"
}
trap finish EXIT
cd -- "$folder"

fail() {
    echo "FAILED: $*"
    cat said || true
    exit 1
}

cat >run.yaml <<YAML
data:
  synthetic: {distribution: bernoulli, samples: 2000, shape: [16], seed: 1}
model: {latent_dim: 2, encoder: {hidden: [16]}, decoder: {hidden: [16]}}
train: {steps: $steps, batch_size: 100, virtual_ranks: 3}
output: {directory: run, log_every: 50, checkpoint_every: 200, checkpoint_every_minutes: 0.005}
YAML

# Starts local.sh; what it and the run say is in `said`.
start() {
    "$root/launch/local.sh" "$@" >said 2>&1 &
    supervisor=$!
}

expect_status() {
    local status=0
    wait "$supervisor" || status=$?
    supervisor=
    [[ $status == "$1" ]] || fail "exit status $status rather than $1"
    [[ -z $(processes) ]] || fail "processes are left: $(processes)"
}

expect_said() { # TEXT TIMES
    [[ $(grep -c -- "$1" said) == "$2" ]] || fail "expected $2 lines with '$1'"
}

until_under_way() {
    local i
    for ((i = 0; i < 600; ++i)); do
        if [[ -s run/metrics.jsonl && $(wc -l <run/metrics.jsonl) -ge 5 ]]; then
            return
        fi
        sleep 0.05
    done
    fail "it does not begin to train"
}

a_rank() {
    local process
    for process in $(processes); do
        if [[ $(readlink "/proc/$process/exe") == "$VAE_DIST" ]]; then
            echo "$process"
            return
        fi
    done
    fail "no rank runs"
}

expect_result_of_undisturbed_run() {
    "$VAE_DIST" run.yaml --set output.directory=reference >/dev/null
    local last
    last=checkpoints/step_$(printf %010d $steps).h5
    cmp "run/$last" "reference/$last" || fail "the last checkpoint is another"
}

# --- cases ---

starts_again_after_a_killed_rank() {
    start --ranks 3 "$folder/run.yaml"
    until_under_way
    kill -KILL "$(a_rank)"
    expect_status 0
    expect_said '^local.sh: start ' 2
    expect_said 'starting again .* (1 of at most 3 times)' 1
    expect_result_of_undisturbed_run
}

does_not_start_again_with_a_wrong_configuration() {
    start --ranks 2 "$folder/run.yaml" --set train.batch_size=-1
    expect_status 2
    expect_said '^local.sh: start ' 1
}

refuses_what_only_a_job_array_replaces() {
    local mark
    for mark in %a %v; do
        start --ranks 2 "$folder/run.yaml" --set train.seed=1 --set "output.directory=runs/$mark"
        expect_status 2
        expect_said "output.directory=runs/$mark': nothing replaces %a and %v here" 1
        expect_said '^local.sh: start ' 0
    done
}

does_not_start_again_where_the_folder_of_the_data_is_missing() {
    start --ranks 2 "$folder/run.yaml" --set data.synthetic=null --set 'data.train={files: ["nowhere/*.h5"], dataset: x}'
    expect_status 2
    expect_said '^local.sh: start ' 1
    expect_said 'there is no folder .*/nowhere' 1
}

gives_up_after_too_many_crashes() {
    printf '#!/bin/sh\nkill -KILL $$\n' >crashes
    chmod +x crashes
    VAE_DIST=$folder/crashes start --ranks 2 --restarts 1 "$folder/run.yaml"
    expect_status 137
    expect_said '^local.sh: start ' 2
    expect_said 'gave up after 1 restart' 1
}

stopped_by() {
    start --ranks 2 "$folder/run.yaml"
    until_under_way
    kill -"$1" "$supervisor"
    expect_status 75
    expect_said '^local.sh: start ' 1
    start --ranks 3 "$folder/run.yaml"
    expect_status 0
    expect_said 'going on from' 1
    expect_result_of_undisturbed_run
}
saves_and_ends_at_SIGTERM() { stopped_by TERM; }
saves_and_ends_at_SIGHUP() { stopped_by HUP; }

ends_at_once_at_a_second_SIGTERM() {
    printf '#!/bin/sh\ntrap "" USR1 TERM\necho begun\nwhile :; do sleep 0.2; done\n' >stubborn
    chmod +x stubborn
    VAE_DIST=$folder/stubborn start --ranks 2 "$folder/run.yaml"
    until [[ $(grep -c begun said) == 2 ]]; do sleep 0.1; done
    kill -TERM "$supervisor"
    sleep 0.5
    [[ $(processes | wc -l) -ge 3 ]] || fail "the first signal must only ask"
    kill -TERM "$supervisor"
    expect_status 1
    expect_said '^local.sh: start ' 1
}

leaves_no_process_when_it_is_killed_itself() {
    start --ranks 2 "$folder/run.yaml"
    until_under_way
    kill -KILL "$supervisor"
    local i
    for ((i = 0; i < 300; ++i)); do
        [[ -n $(processes) ]] || break
        sleep 0.1
    done
    expect_status 137
}

leaves_out_hosts_that_do_not_answer() {
    printf '#!/bin/sh\nexit 255\n' >no_ssh
    chmod +x no_ssh
    start --hosts localhost:2,nowhere:2 --ssh "$folder/no_ssh" "$folder/run.yaml" --set train.steps=20
    expect_status 0
    expect_said 'nowhere does not answer' 1
    expect_said 'start 1: 2 ranks on localhost:2$' 1
}

heeds_a_signal_while_it_looks_for_hosts() {
    printf '#!/bin/sh\ntouch %s/asked\nsleep 3\nexit 255\n' "$folder" >slow_ssh
    chmod +x slow_ssh
    start --hosts localhost:2,nowhere:2 --ssh "$folder/slow_ssh" "$folder/run.yaml"
    until [[ -e asked ]]; do sleep 0.1; done
    kill -TERM "$supervisor"
    expect_status 75
    expect_said 'stopped before a start' 1
    expect_said '^local.sh: start ' 0
}

[[ $(type -t "$2") == function ]] || fail "no such case: $2"
"$2"
