#!/usr/bin/env bash
# Trains on this machine, or on a list of hosts, and starts again after a crash:
#
#   launch/local.sh [--ranks N] [--restarts M] [--hosts h1[:slots],h2[:slots],...] [--ssh COMMAND] CONFIG [ARGUMENTS]...
#
#   --ranks N      ranks at most; otherwise one a core, or one a slot of the hosts
#   --restarts M   starts after the first at most; otherwise 3
#   --hosts LIST   hosts with the same files, reached by ssh without a password; one slot each unless said. Those that
#                  do not answer when the run is started, or started again, are left out, with their ranks
#   --ssh COMMAND  instead of ssh
#
# Every start goes on from the newest checkpoint, to the same bits, whatever the number of ranks, up to train.virtual_ranks.
# A signal (Ctrl-C, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2) saves and ends the run; a second Ctrl-C or SIGTERM ends it at once.
# The exit status is the last start's: 0 done; 75 stopped, saved; 2 wrong configuration or data; anything else, it failed
# once more than M times. VAE_DIST=/path/to/vae_dist where the program lies elsewhere.
set -uo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
vae_dist="${VAE_DIST:-$root/build/release/vae_dist}"
ranks="" restarts=3 hosts=() ssh="ssh -o BatchMode=yes -o ConnectTimeout=5"
pause=2 # seconds before another start

say() { echo "local.sh: $*" >&2; }
fail() { say "error: $*"; exit 2; }
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }

count_of() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && ((10#$2 >= $3)) || fail "$1 takes a whole number from $3 on, not '$2'"
    echo $((10#$2))
}

while [[ ${1:-} == -* ]]; do
    case $1 in
    --help) usage; exit 0 ;;
    --ranks | --restarts | --hosts | --ssh) [[ -n ${2:-} ]] || fail "$1 needs a value" ;;
    *) fail "unknown option $1 (launch/local.sh --help)" ;;
    esac
    case $1 in
    --ranks) ranks=$(count_of "$1" "$2" 1) || exit ;;
    --restarts) restarts=$(count_of "$1" "$2" 0) || exit ;;
    --hosts) IFS=, read -ra hosts <<<"$2" ;;
    --ssh) ssh=$2 ;;
    esac
    shift 2
done
(($#)) || { usage >&2; exit 2; }
# As a text of its own, an argument with it would be the value, or the name of a folder.
for argument in "$@"; do
    [[ $argument != *%[av]* ]] || fail "'$argument': nothing replaces %a and %v here; they are for job arrays (train.sbatch)"
done
[[ -x $vae_dist ]] || fail "no program at $vae_dist; build it (launch/setup.sh), or set VAE_DIST"

# More ranks than cores, and user root, are what Open MPI refuses unless told. A host without power is noticed after 25 s.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_oob_tcp_keepalive_time=10 OMPI_MCA_oob_tcp_keepalive_intvl=5 OMPI_MCA_oob_tcp_keepalive_probes=3
((EUID)) || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# Those of `hosts` that answer, as h1:2,h2:1 in `answering`, and their slots in `slots`.
find_hosts() {
    local host
    answering="" slots=0
    for host in "${hosts[@]}"; do
        [[ $host == *:* ]] || host+=:1
        # shellcheck disable=SC2086 # a command with its options
        if [[ ${host%:*} == "$(hostname)" || ${host%:*} == localhost ]] ||
            timeout 15 $ssh "${host%:*}" true </dev/null >/dev/null 2>&1; then
            answering+=${answering:+,}$host
            slots=$((slots + ${host#*:}))
        else
            say "${host%:*} does not answer and is left out"
        fi
    done
}

# Sets `command`: mpirun with what is there now.
choose_command() {
    local most=${ranks:-$(nproc)} where=()
    if ((${#hosts[@]})); then
        find_hosts
        ((slots)) || return 1
        where=(--host "$answering" --mca plm_rsh_agent "$ssh")
        most=$((slots < ${ranks:-slots} ? slots : ${ranks:-slots}))
    fi
    # No more than at first: train.virtual_ranks may have been set by that.
    first_ranks=${first_ranks:-$most}
    started_ranks=$((most < first_ranks ? most : first_ranks))
    command=(mpirun -np "$started_ranks" "${where[@]}" "$vae_dist" "$@")
}

stop=no mpirun=''
# The first signal asks, as SIGUSR1, which mpirun passes on to every rank; at SIGTERM it would kill them a second later.
on_signal() {
    interrupted=yes
    local signal=USR1
    if [[ $stop == yes && ($1 == INT || $1 == TERM) ]]; then
        signal=TERM
    fi
    stop=yes
    [[ -z $mpirun ]] || kill -"$signal" "$mpirun" 2>/dev/null
}
for signal in INT TERM HUP USR1 USR2; do
    # shellcheck disable=SC2064 # the name now
    trap "on_signal $signal" "$signal"
done

# Ranks outlive an mpirun that was killed; they must be gone before others write to the same folder.
end_leftovers() {
    [[ -z $mpirun ]] || pkill -KILL --session "$mpirun"
    mpirun=''
}
trap end_leftovers EXIT

# Runs `command` and sets `status`. A session of its own: a Ctrl-C must not reach mpirun but through us. Should we be killed,
# mpirun is asked to save and end.
run_once() {
    setsid setpriv --pdeathsig USR1 "${command[@]}" </dev/null &
    mpirun=$!
    [[ $stop == no ]] || kill -USR1 "$mpirun" 2>/dev/null # the signal came while there was nobody to pass it to
    local interrupted
    while
        interrupted=no status=0
        wait "$mpirun" || status=$?
        [[ $interrupted == yes ]]
    do :; done
    end_leftovers
    # Asked before it could listen, it was ended by the signal: nothing had begun, nothing is lost.
    if [[ $stop == yes ]] && ((status == 128 + 10)); then
        status=75
    fi
}

leave_if_asked() {
    [[ $stop == no ]] || { say "stopped before a start; the same command goes on"; exit 75; }
}

status=1
for ((start = 0; start <= restarts; ++start)); do
    if ((start)); then
        say "starting again in $pause s ($start of at most $restarts times)"
        sleep "$pause"
    fi
    leave_if_asked
    if ! choose_command "$@"; then
        say "no host answers"
        continue
    fi
    leave_if_asked
    say "start $((start + 1)): $started_ranks ranks${answering:+ on $answering}"
    run_once
    case $status in
    0) exit 0 ;;
    75) say "stopped and saved; the same command goes on"; exit 75 ;;
    2) say "not started again: the configuration or the data are wrong"; exit 2 ;;
    esac
    say "the run ended with status $status"
    [[ $stop == no ]] || exit "$status"
done
say "gave up after $restarts restarts; the newest checkpoint is in the run's folder"
exit "$status"
