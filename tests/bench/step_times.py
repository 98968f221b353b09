#!/usr/bin/env python3
"""Times training steps beside their floor, the step's matrix products alone, and beside PyTorch.

All cases are run in turn, several times over; what is printed are medians over these rounds, of ratios taken within
a round: on a shared machine nothing else holds. See README.md in this folder.
"""
import argparse
import itertools
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = {"s": 0.003, "m": 0.022, "l": 0.3}  # of a step, about: how many of them fit into a second of a round


class Model:
    """What the floor and PyTorch need to know of model_NAME.yaml."""

    def __init__(self, name):
        self.name = name
        self.file = HERE / f"model_{name}.yaml"
        text = self.file.read_text()
        self.features = self.numbers(r"shape: \[(.*?)\]", text)[0]
        self.latents = self.numbers(r"latent_dim: (\d+)", text)[0]
        self.widths = self.numbers(r"encoder: \{hidden: \[(.*?)\]", text)
        self.batch = self.numbers(r"batch_size: (\d+)", text)[0]

    @staticmethod
    def numbers(pattern, text):
        return [int(number) for number in re.search(pattern, text).group(1).split(",")]

    def steps(self, seconds):
        return max(int(seconds / SECONDS[self.name]), 10)


def environment():
    """One thread a process, and no setting of a BLAS that a shell happens to have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "OMP_", "MKL_"))}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(command, **more_environment):
    """The last line that a program prints, which is JSON; None, out loud, where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env={**environment(), **more_environment})
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return json.loads(lines[-1])
    print(f"failed ({done.returncode}): {shlex.join(map(str, command))}\n{done.stderr.strip()[-2000:]}", file=sys.stderr)
    return None


def median(values):
    return statistics.median(values) if values else float("nan")


class Rounds:
    """The results of all rounds, by case; a case that failed once is not tried again."""

    def __init__(self):
        self.results = defaultdict(list)
        self.failed = set()

    def add(self, case, measure):
        if case in self.failed:
            return
        result = measure()
        if result is None:
            self.failed.add(case)
        else:
            self.results[case].append(result)

    def ratios(self, case, field, other_case, other_field):
        return [a[field] / b[other_field] for a, b in zip(self.results[case], self.results[other_case])]

    def of(self, case, *path):
        values = []
        for result in self.results[case]:
            for key in path:
                result = result[key]
            values.append(result)
        return median(values)


def floor_command(options, model):
    return [options.floor, model.batch, model.features, model.latents, *model.widths]


def step_command(options, model, case):
    _, _, precision, ranks, reduction, overlap = case
    settings = [f"train.batch_size={model.batch * ranks}", f"train.precision={precision}", f"train.reduction={reduction}"]
    if overlap != "auto":
        settings.append(f"compute.overlap={overlap}")
    launcher = shlex.split(options.launcher.format(ranks=ranks)) if ranks > 1 or options.launch_one else []
    steps = model.steps(options.seconds)
    return [*launcher, options.program, "benchmark", model.file, "--steps", steps, "--warmup", max(steps // 10, 5),
            *itertools.chain.from_iterable(("--set", setting) for setting in settings + options.set)]


def torch_command(options, model, case):
    _, _, precision, world, threads = case
    steps = model.steps(options.seconds)
    return [options.torch_python, HERE / "torch_step.py", "--features", model.features, "--latents", model.latents,
            "--widths", *model.widths, "--batch", model.batch, "--world", world, "--threads", threads,
            "--steps", steps, "--warmup", max(steps // 10, 3), *(["--bfloat16"] if precision == "bfloat16" else [])]


def step_cases(options, model):
    return [("step", model.name, *rest) for rest in
            itertools.product(options.precision, options.ranks, options.reductions, options.overlap)]


def torch_cases(options, model):
    return [("torch", model.name, *rest) for rest in itertools.product(options.precision, (1, 2), (1, 2))]


def measure(options, models):
    rounds = Rounds()
    for number in range(options.rounds):
        for model in models:
            print(f"round {number + 1} of {options.rounds}, model {model.name.upper()}", file=sys.stderr)
            if options.floor:
                rounds.add(("floor", model.name), lambda: run(list(map(str, floor_command(options, model)))))
            for case in step_cases(options, model):
                rounds.add(case, lambda: run(list(map(str, step_command(options, model, case)))))
            for case in torch_cases(options, model) if options.torch else []:
                rounds.add(case, lambda: run(list(map(str, torch_command(options, model, case))),
                                             OMP_NUM_THREADS=str(case[4]), OPENBLAS_NUM_THREADS=str(case[4])))
    return rounds


def print_table(title, header, rows):
    if not rows:
        return
    print(f"\n### {title}\n")
    table = [header, ["---"] * len(header), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        print("| " + " | ".join(cell.ljust(width, "-" if cell == "---" else " ") for cell, width in zip(row, widths)) + " |")


def spread(ratios):
    """The median, and the least and the greatest."""
    return f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "-"


def first_columns(case):
    _, name, precision, ranks, reduction, overlap = case
    return [name.upper(), precision, str(ranks), reduction, overlap]


def print_steps(options, models, rounds):
    rows = []
    cases = [case for model in models for case in step_cases(options, model) if rounds.results[case]]
    for case in cases:
        floor = rounds.ratios(case, "step_ms", ("floor", case[1]), f"{case[2]}_ms")
        one_rank = (*case[:3], options.ranks[0], *case[4:])
        first_way = (*case[:4], options.reductions[0], options.overlap[0])
        rows.append([*first_columns(case), f"{rounds.of(case, 'step_ms'):.3f}", spread(floor),
                     f"{rounds.of(case, 'samples_per_second'):.0f}",
                     spread(rounds.ratios(case, "samples_per_second", one_rank, "samples_per_second")),
                     spread(rounds.ratios(case, "step_ms", first_way, "step_ms"))])
    print_table("Steps", ["model", "precision", "ranks", "reduction", "overlap", "step ms", "over floor", "samples/s",
                          f"samples/s over {options.ranks[0]} rank{'s' if options.ranks[0] > 1 else ''}",
                          f"step over {options.reductions[0]}, {options.overlap[0]}"], rows)
    parts = list(rounds.results[cases[0]][0]["parts_ms"]) if cases else []
    print_table("Parts of a step, ms, of the rank that works longest",
                ["model", "precision", "ranks", "reduction", "overlap", *parts, "longest wait"],
                [[*first_columns(case), *(f"{rounds.of(case, 'parts_ms', part):.3f}" for part in parts),
                  f"{rounds.of(case, 'longest_wait_ms'):.3f}"] for case in cases])


def print_torch(options, models, rounds):
    if not options.torch:
        return
    rows = []
    for model, precision in itertools.product(models, options.precision):
        cases = [case for case in torch_cases(options, model) if case[2] == precision and rounds.results[case]]
        if not cases:
            continue
        fastest = max(cases, key=lambda case: rounds.of(case, "samples_per_second"))
        ours = ("step", model.name, precision, options.ranks[-1], options.reductions[0], options.overlap[0])
        rows.append([model.name.upper(), precision, str(fastest[3]), str(fastest[4]),
                     f"{rounds.of(fastest, 'samples_per_second'):.0f}",
                     spread(rounds.ratios(ours, "samples_per_second", fastest, "samples_per_second"))])
    print_table("PyTorch at its fastest", ["model", "precision", "processes", "threads", "samples/s",
                                           f"ours at {options.ranks[-1]} ranks over it"], rows)
    libraries = {result["blas"] for case, results in rounds.results.items() if case[0] == "torch" for result in results}
    for library in libraries:
        print(f"\nPyTorch's products are by {library}")
        if "/libblas.so" in library or "/blas/" in library:
            print("WARNING: that is the reference BLAS, many times slower than others: install libopenblas0-pthread",
                  file=sys.stderr)


def has_torch(python):
    return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def words(text):
    return text.split(",")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build" / "release", help="build folder")
    parser.add_argument("--models", type=words, default=["s", "m", "l"], help="of s,m,l (default all)")
    parser.add_argument("--precision", type=words, default=["float32", "bfloat16"])
    parser.add_argument("--reductions", type=words, default=["exact"], help="of exact,float32,bfloat16")
    parser.add_argument("--overlap", type=words, default=["auto"], help="of auto,on,off")
    parser.add_argument("--ranks", type=words, default=["1", "2"], help="numbers of ranks (default 1,2)")
    parser.add_argument("--launcher", default="mpirun -np {ranks} --bind-to core",
                        help="command before the program; {ranks} stands for their number (default: %(default)s)")
    parser.add_argument("--launch-one", action="store_true", help="launch one rank by the launcher, too")
    parser.add_argument("--no-floor", action="store_true", help="without the products alone")
    parser.add_argument("--no-torch", action="store_true", help="without PyTorch")
    parser.add_argument("--torch-python", default=sys.executable, help="interpreter that has PyTorch (default: this)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of timed steps in a case of a round, about")
    parser.add_argument("--quick", action="store_true", help="two rounds of half a second")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another setting for all steps")
    options = parser.parse_args()
    options.ranks = [int(ranks) for ranks in options.ranks]
    if options.quick:
        options.rounds, options.seconds = 2, 0.5
    options.program = options.build / "vae_dist"
    options.floor = None if options.no_floor else options.build / "tests" / "bench" / "step_floor"
    for file in filter(None, (options.program, options.floor)):
        if not file.exists():
            parser.error(f"{file} is missing: cmake --build {options.build} --target vae_dist step_floor")
    options.torch = not options.no_torch and has_torch(options.torch_python)
    if not options.torch:
        print("PyTorch: SKIPPED" if options.no_torch else
              f"PyTorch: SKIPPED, {options.torch_python} has no module torch (Debian: python3-torch)", file=sys.stderr)
    return options


def main():
    options = parse()
    models = [Model(name.lower()) for name in options.models]
    rounds = measure(options, models)
    print_steps(options, models, rounds)
    print_torch(options, models, rounds)
    return 1 if rounds.failed else 0


if __name__ == "__main__":
    sys.exit(main())
