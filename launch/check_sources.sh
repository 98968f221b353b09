#!/usr/bin/env bash
# clang-format on every source file, and clang-tidy on the lines that changed: since the branch left origin/main or main, else in
# the last commit; at most 4 files, the rest is named. Says what it leaves out.
# usage: launch/check_sources.sh [COMMIT]    what changed since COMMIT
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
cd -- "$root"
most_files=4 # each takes half a minute and more
sources=('*.hpp' '*.cpp' '*.h' '*.cu' '*.cuh')

# The program NAME of version VERSION: Debian's is called NAME-VERSION, where it is not NAME.
tool() {
    local candidate
    for candidate in "$1-$2" "$1"; do
        if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q "version $2\."; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

format() {
    local program
    program="$(tool clang-format 14)" || {
        echo "SKIPPED: the sources' layout, for there is no clang-format 14 here"
        return
    }
    git ls-files -z -- "${sources[@]}" | xargs -0 "$program" --dry-run -Werror --ferror-limit=1 || {
        echo "these files are not laid out as .clang-format says: $program -i FILE" >&2
        return 1
    }
}

# Where what is to be looked at begins. Without a history there is nothing to tell.
base_commit() {
    local base branch
    for branch in origin/main main; do
        base="$(git merge-base HEAD "$branch" 2>/dev/null)" || continue
        [[ "$base" == "$(git rev-parse HEAD)" ]] || {
            echo "$base"
            return
        }
    done
    git rev-parse --verify --quiet HEAD~1
}

tidy() {
    local base="$1" program
    program="$(tool clang-tidy 16)" || {
        echo "SKIPPED: clang-tidy, for there is no clang-tidy 16 here"
        return
    }
    [[ -n "$base" ]] || base="$(base_commit)" || {
        echo "SKIPPED: clang-tidy, for this copy has no history that tells what changed"
        return
    }
    # How each file is compiled; nothing is.
    local commands=build/develop/compile_commands.json
    cmake --preset develop >build/develop.log 2>&1 || {
        cat build/develop.log >&2
        return 1
    }
    local file lines files=() others=()
    while read -r file; do
        if grep -qF "\"$root/$file\"" "$commands"; then
            files+=("$file")
        else
            others+=("$file")
        fi
    done < <(git diff --name-only --diff-filter=AM "$base" -- 'src/*.cpp' 'tests/*.cpp')
    ((${#others[@]} == 0)) || echo "LEFT OUT by clang-tidy, for the build has not got them: ${others[*]}"
    if ((${#files[@]} > most_files)); then
        printf 'LEFT OUT by clang-tidy, which looks at %s files: %s\n' "$most_files" "${files[*]:most_files}"
        files=("${files[@]:0:most_files}")
    fi
    echo "clang-tidy on what changed since ${base:0:12} in ${#files[@]} files"
    for file in "${files[@]}"; do
        # As "[3,7],[12,12]": the lines that the change added.
        lines="$(git diff --unified=0 "$base" -- "$file" |
            sed -nE 's/^@@ [^+]*\+([0-9]+)(,([0-9]+))? @@.*/\1 \3/p' |
            awk '{ n = $2 == "" ? 1 : $2; if (n) printf "%s[%d,%d]", (c++ ? "," : ""), $1, $1 + n - 1 }')"
        [[ -n "$lines" ]] || continue
        printf '%s\0' "$file" "[{\"name\":\"$file\",\"lines\":[$lines]}]"
    done | xargs -0 -r -n 2 -P "$(nproc)" bash -c '
        "$0" -p build/develop --quiet --warnings-as-errors="*" --extra-arg=-Wno-unknown-warning-option \
            --line-filter="$2" "$1" 2> >(grep -v "warnings generated\|Suppressed" >&2)' "$program"
}

git rev-parse --verify --quiet HEAD >/dev/null 2>&1 || {
    echo "SKIPPED: clang-format and clang-tidy, for $root is not a copy that git knows"
    exit 0
}
status=0
format || status=1
tidy "${1:-}" || status=1
exit "$status"
