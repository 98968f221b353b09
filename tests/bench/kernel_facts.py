#!/usr/bin/env python3
"""What CUDA's compiler makes of the kernels: registers, spills, and the loads and stores that move four elements.

    tests/bench/kernel_facts.py [BUILD]        BUILD: a configured build with CUDA; build/cuda unless given

Needs nvcc, no GPU. Registers and spills are what ptxas says of each kernel (-v), widths of loads and stores those in PTX.
"""

import collections
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ARCHITECTURES = ["sm_80", "sm_90", "sm_100"]


def compile_command(entry, extra):
    words = shlex.split(entry["command"])
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif not word.startswith(("--generate-code", "-gencode", "-MD", "-c", "-MMD")) and word != "ccache":
            kept.append(word)
    return kept + extra


def run(entry, extra):
    done = subprocess.run(compile_command(entry, extra), cwd=entry["directory"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout + done.stderr


def resources(entry, architecture):
    """(registers, bytes spilled, bytes of stack) of each kernel."""
    text = run(entry, [f"-arch={architecture}", "-cubin", "-o", "/dev/null", "-Xptxas", "-v"])
    found = []
    for part in text.split("Compiling entry function")[1:]:
        registers = int(re.search(r"Used (\d+) registers", part)[1])
        stack, stores, loads = map(int, re.search(
            r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part).groups())
        found.append((registers, stores + loads, stack))
    return found


def widths(entry):
    """Numbers of kernels, and of loads and stores of four elements at a time in them."""
    with tempfile.NamedTemporaryFile(suffix=".ptx") as ptx:
        run(entry, ["-arch=compute_90", "-ptx", "-o", ptx.name])
        text = pathlib.Path(ptx.name).read_text()
    counts = collections.Counter()
    for kernel in text.split(".entry ")[1:]:
        wide = re.findall(r"(?:ld|st)\.global(?:\.nc)?\.v[24]\.", kernel)
        counts["kernels"] += 1
        counts["of them with vector loads or stores"] += bool(wide)
        counts["of these"] += len(wide)
    return counts


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/cuda")
    entries = [e for e in json.loads((build / "compile_commands.json").read_text())
               if e["file"].endswith(".cu") and "nvcc" in e["command"]]
    if not entries:
        sys.exit(f"no kernels in {build}/compile_commands.json; cmake --preset cuda makes it")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        print(f"{'kernels of':<18}{'number':>7}" + "".join(f"{a + ': registers':>20}{'spills':>8}{'stack':>7}"
                                                             for a in ARCHITECTURES))
        for entry in entries:
            name = pathlib.Path(entry["file"]).name
            of_all = list(pool.map(lambda a: resources(entry, a), ARCHITECTURES))
            row = f"{name:<18}{len(of_all[0]):>7}"
            for kernels in of_all:
                registers = sorted(k[0] for k in kernels)
                row += f"{f'{registers[0]} to {registers[-1]}':>20}{sum(k[1] for k in kernels):>8}{max(k[2] for k in kernels):>7}"
            print(row, flush=True)
        print()
        for entry, counts in zip(entries, pool.map(widths, entries)):
            print(f"{pathlib.Path(entry['file']).name:<18}" + ", ".join(f"{v} {k}" for k, v in counts.items()))


if __name__ == "__main__":
    main()
