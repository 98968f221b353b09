#!/usr/bin/env bash
# Two programs, or one program on two days, give the same bits: see README.md here.
#
#   golden.sh compare OLD NEW          every file of the work of OLD and of NEW; OLD is a program or a commit, which is built
#   golden.sh compare-inherited OLD NEW    the same, but NEW goes on with runs that OLD began
#   golden.sh check PROGRAM            the work against the digests that were recorded for this kind of processor; of
#                                      VAE_DIST_PROGRAM, where that is set
#   golden.sh record PROGRAM           records them
#   golden.sh work PROGRAM FOLDER      does the work in FOLDER, which is new
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd -- "$here/../.." && pwd)"
digests="$here/digests.txt"
skipped=77 # what CTest is told to take for a test that was skipped

export LC_ALL=C OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none MPIEXEC_TIMEOUT=100

folder=
finish() { [[ -z $folder ]] || rm -rf -- "$folder"; }
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

fail() {
    printf 'golden.sh: %s\n' "$*" >&2
    exit 1
}

# Its output is of interest where it fails.
quietly() {
    "$@" >said 2>&1 || {
        cat said >&2
        fail "failed: $*"
    }
}

# --- The data: bytes and numbers that integers make, the same on every machine.

# An IDX file of COUNT images, 28 x 28, of one bright disc each:  images COUNT SEED
images() {
    awk -v count="$1" -v seed="$2" 'BEGIN {
        printf "%c%c%c%c", 0, 0, 8, 3
        printf "%c%c%c%c", 0, 0, int(count / 256), count % 256
        for (i = 0; i < 2; ++i) printf "%c%c%c%c", 0, 0, 0, 28
        state = seed
        for (n = 0; n < count; ++n) {
            for (i = 0; i < 3; ++i) {
                state = (state * 1103 + 12345) % 65536
                drawn[i] = int(state / 16)
            }
            x = 4 + drawn[0] % 20; y = 4 + drawn[1] % 20; width = 2 + drawn[2] % 6
            for (row = 0; row < 28; ++row)
                for (column = 0; column < 28; ++column) {
                    value = 255 - int(((row - y) * (row - y) + (column - x) * (column - x)) * 96 / width)
                    printf "%c", value < 1 ? 1 : value
                }
        }
    }'
}

# A CSV file of COUNT rows of eight columns, which lie far apart:  table COUNT SEED
table() {
    awk -v count="$1" -v seed="$2" 'BEGIN {
        state = seed
        print "a,b,c,d,e,f,g,h"
        for (n = 0; n < count; ++n) {
            line = ""
            for (column = 0; column < 8; ++column) {
                state = (state * 1103 + 12345) % 65536
                line = line (column ? "," : "") (int(state / 8) % 1000) * (column + 1) + column * 10000
            }
            print line
        }
    }'
}

make_data() {
    local program="$1"
    images 1000 1 >train.idx
    images 200 2 >test.idx
    table 1000 3 >train.csv
    table 200 4 >test.csv
    quietly "$program" import idx train.idx --out images.h5:train/x
    quietly "$program" import idx test.idx --out images.h5:test/x
    quietly "$program" import csv train.csv --out table.h5:train/x
    quietly "$program" import csv test.csv --out table.h5:test/x
}

# --- The work

configurations=(fashion mnist_iwae synthetic tabular)
first_half=5 # steps; the whole is twice that
# What evaluation, encoding and reconstruction are of; a run on numbers near 0 is used on such numbers.
data_of() {
    case $1 in
        fashion | mnist_iwae) printf '%s\n' --data images.h5:test/x ;;
        synthetic) printf '%s\n' --data table.h5:test/x --scale 1e-5 ;;
        tabular) printf '%s\n' --data table.h5:test/x ;;
    esac
}
settings_of() {
    case $1 in
        fashion | mnist_iwae)
            printf '%s\n' --set 'data.train.files=[images.h5]' --set 'data.validation.files=[images.h5]' \
                --set train.batch_size=202
            ;;
        synthetic) printf '%s\n' --set data.synthetic.samples=1000 ;;
        tabular)
            printf '%s\n' --set 'data.train.files=[table.h5]' --set 'objective.kl_warmup_steps=7' \
                --set optimizer.schedule.warmup_steps=3 --set optimizer.schedule.decay_steps=8
            ;;
    esac
}

# One case, in the folder NAME: trained on 1 rank and on 3, each in two halves, and then used.  case_of PROGRAM CONFIG PRECISION
# DRAWS [OLD]: first halves are those of OLD's folder
case_of() {
    local program="$1" config="$2" precision="$3" draws="$4" old="${5:-}"
    local name="$config-$precision-$draws" run ranks
    local settings data
    mapfile -t settings < <(settings_of "$config")
    settings+=(--set "train.precision=$precision" --set "objective.importance_samples=$draws" --set output.log_every=1)
    mapfile -t data < <(data_of "$config")
    mkdir -p "$name"
    for ranks in 1 3; do
        run="$name/$ranks"
        local train=(mpirun -np "$ranks" "$program" "$root/configs/$config.yaml" "${settings[@]}" --set "output.directory=$run")
        if [[ -n $old ]]; then
            cp -r -- "$old/$name/half-$ranks" "$run"
        else
            quietly "${train[@]}" --set "train.steps=$first_half" --set train.epochs=null
        fi
        cp -r -- "$run" "$name/half-$ranks"
        quietly "${train[@]}" --set "train.steps=$((2 * first_half))" --set train.epochs=null
    done
    run="$name/1"
    quietly "$program" evaluate "$run" "${data[@]}" --importance-samples 20 --out "$name/evaluate.json"
    quietly "$program" encode "$run" "${data[@]}" --out "$name/encode.h5"
    quietly "$program" reconstruct "$run" "${data[@]}" --out "$name/reconstruct.h5" --png "$name/reconstruct.png"
    quietly "$program" generate "$run" --count 20 --draw --out "$name/generate.h5" --png "$name/generate.png"
    quietly "$program" generate "$run" --traverse --out "$name/traverse.h5"
    # What tells of times and places, of the machine or of the program's version.
    find "$name" -name '.lock' -delete
    find "$name" -name config.yaml -delete
    # (The first halves stay as they are, for others go on with them.)
    find "$name" -path '*/half-*' -prune -o -name metrics.jsonl -exec sed -E -i 's/"[a-z_]*(seconds|per_second)":[^,}]*//g' {} +
}

# work PROGRAM FOLDER [OLD]
work() {
    local program="$1" config precision draws
    mkdir -p -- "$2"
    cd -- "$2"
    make_data "$program"
    for config in "${configurations[@]}"; do
        for precision in float32 bfloat16; do
            for draws in 1 5; do
                case_of "$program" "$config" "$precision" "$draws" "${3:-}"
            done
        done
    done
    rm said
    cd - >/dev/null
}

# A run gives the same files on 1 rank and on 3.
expect_equal_on_all_ranks() {
    local name differ=0
    for name in "$1"/*-*; do
        diff -r -q "$name/1" "$name/3" || differ=1
    done
    ((!differ)) || fail "a run on 1 rank and one on 3 ranks differ"
}

# The names, shapes and numbers of an HDF5 file, without its attributes, which tell where the data were.
numbers_of() { h5dump -y -w 0 -m %.17g -A 0 "$1" | sed 1d; }

# --- Two programs

# The program that OLD stands for: itself, or that of a commit.
program_of() {
    if [[ -x $1 && -f $1 ]]; then
        realpath -- "$1"
        return
    fi
    git -C "$root" rev-parse --quiet --verify "$1^{commit}" >/dev/null || fail "$1 is neither a program nor a commit"
    git -C "$root" archive --prefix=source/ "$1" | tar -x -C "$folder"
    (cd -- "$folder/source" && launch/setup.sh vae_dist) >&2
    printf '%s\n' "$folder/source/build/release/vae_dist"
}

# What is compared of a folder. The metrics of a whole run have the lines of its first half.
files_of() { (cd "$1" && find . -type f -not -path './*/half-*/metrics.jsonl' | sort); }

# Files of equal numbers may have other bytes: a checkpoint holds the configuration, with each of its keys.
compare_folders() {
    local old="$1" new="$2" file same=0 alike=() differ=()
    [[ "$(files_of "$old")" == "$(files_of "$new")" ]] || {
        diff <(files_of "$old") <(files_of "$new") || true
        fail 'the two programs did not write the same files'
    }
    while IFS= read -r file; do
        if cmp -s -- "$old/$file" "$new/$file"; then
            ((++same))
        elif [[ $file == *.h5 ]] && cmp -s <(numbers_of "$old/$file") <(numbers_of "$new/$file"); then
            alike+=("$file")
        else
            differ+=("$file")
        fi
    done < <(files_of "$old")
    ((${#alike[@]} == 0)) || printf 'equal numbers, other bytes: %s\n' "${alike[@]}"
    ((${#differ[@]} == 0)) || printf 'DIFFERS: %s\n' "${differ[@]}"
    printf '%s files: %s of equal bytes, %s of equal numbers, %s differ\n' \
        "$((same + ${#alike[@]} + ${#differ[@]}))" "$same" "${#alike[@]}" "${#differ[@]}"
    ((${#differ[@]} == 0))
}

# compare OLD NEW INHERITED
compare() {
    local old new
    folder=$(mktemp -d)
    old=$(program_of "$1")
    new=$(program_of "$2")
    # In one place, for outputs tell where the data were.
    work "$old" "$folder/work"
    mv -- "$folder/work" "$folder/old"
    work "$new" "$folder/work" "${3:+$folder/old}"
    mv -- "$folder/work" "$folder/new"
    expect_equal_on_all_ranks "$folder/new"
    compare_folders "$folder/old" "$folder/new"
}

# --- One program and what was recorded

# Bits are a matter of these: how the compiler contracts sums, the library of products and its instructions, the C library's
# functions. With AVX-512 the library cuts products by the processor's caches; with AVX2 alone they are the program's own.
kind_of() {
    local program="$1"
    "$program" --version | sed -nE 's/^(instruction set|compute) +/\1: /p'
    "$program" --version | grep -q 'own matrix products' || {
        lscpu | sed -nE 's/^(Model name|CPU family|Model): +/\1: /p'
        getconf LEVEL2_CACHE_SIZE | sed 's/^/second cache: /'
    }
    readelf -p .comment "$program" | sed -nE 's/^ *\[ *[0-9a-f]+\] +/compiler: /p' | head -n 1
    getconf GNU_LIBC_VERSION | sed 's/^/C library: /'
}

# A line of each case: the numbers of its metrics and of all that was made with it.
digests_of() {
    local name file
    cd -- "$1"
    for name in *-*; do
        printf '%s %s\n' "$(
            for file in "$name"/*.json "$name"/*.png "$name"/[13]/metrics.jsonl; do
                sha256sum <"$file"
            done
            for file in "$name"/*.h5; do
                numbers_of "$file" | sha256sum
            done
        )" "$name" | sha256sum | sed "s/-$/$name/"
    done
    cd - >/dev/null
}

recorded_for() {
    awk -v kind="kind $1" '/^kind / { found = $0 == kind; next } found' "$digests"
}

# Does the work of a program, and finds what kind of bits it has: $kind.
kind=
work_of_one() {
    local program
    program=$(realpath -- "$1")
    folder=$(mktemp -d)
    work "$program" "$folder/work"
    expect_equal_on_all_ranks "$folder/work"
    echo 'Runs on 1 rank and on 3 are equal.'
    kind=$(kind_of "$program" | paste -sd '|')
}

check() {
    local recorded
    work_of_one "${VAE_DIST_PROGRAM:-$1}"
    recorded=$(recorded_for "$kind")
    if [[ -z $recorded ]]; then
        echo "SKIPPED: no digests were recorded for $kind"
        exit "$skipped"
    fi
    diff <(echo "$recorded") <(digests_of "$folder/work") || fail "other bits than those recorded (<) for $kind"
    echo "All cases have the digests that were recorded for $kind."
}

record() {
    local others
    work_of_one "$1"
    others=$(awk -v kind="kind $kind" '/^kind / { found = $0 == kind } !found' "$digests" || true)
    {
        [[ -z $others ]] || printf '%s\n' "$others"
        printf 'kind %s\n' "$kind"
        digests_of "$folder/work"
    } >"$folder/digests"
    cp -- "$folder/digests" "$digests"
}

case ${1:-}:$# in
    compare:3) compare "$2" "$3" '' ;;
    compare-inherited:3) compare "$2" "$3" yes ;;
    check:2) check "$2" ;;
    record:2) record "$2" ;;
    work:3) work "$(realpath -- "$2")" "$3" ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
esac
