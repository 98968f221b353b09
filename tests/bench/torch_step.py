"""A training step of the same VAE by PyTorch, with DistributedDataParallel over gloo where there are several processes.

Prints one line of JSON: step_ms (median), samples_per_second (over all processes) and blas, the library of products.
"""
import argparse
import json
import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class Vae(nn.Module):
    def __init__(self, features, widths, latents):
        super().__init__()
        self.encoder = self.layers([features, *widths])
        self.mean = nn.Linear(widths[-1], latents)
        self.log_variance = nn.Linear(widths[-1], latents)
        self.decoder = self.layers([latents, *reversed(widths)])
        self.output = nn.Linear(widths[0], features)

    @staticmethod
    def layers(sizes):
        return nn.Sequential(*[part for inputs, outputs in zip(sizes, sizes[1:])
                               for part in (nn.Linear(inputs, outputs), nn.ReLU())])

    def forward(self, x):
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        latent = mean + torch.randn_like(mean) * torch.exp(log_variance / 2)
        return self.output(self.decoder(latent)), mean, log_variance


def negative_elbo(x, logits, mean, log_variance):
    reconstruction = functional.binary_cross_entropy_with_logits(logits.float(), x, reduction="sum")
    mean, log_variance = mean.float(), log_variance.float()
    kl = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
    return (reconstruction + kl) / len(x)


def blas():
    """The file that holds the BLAS in use: Debian's torch takes whichever the system's alternatives name."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps if ".so" in line}
    except OSError:
        return "unknown"
    for name in ("libmkl", "libopenblas", "libblis", "libatlas", "libblas"):
        for file in sorted(files):
            if name in os.path.basename(file) or name in os.path.basename(os.path.realpath(file)):
                return os.path.realpath(file)
    return "built in"


def train(rank, options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(rank + 1)
    model = Vae(options.features, options.widths, options.latents)
    if options.world > 1:
        torch.distributed.init_process_group("gloo", rank=rank, world_size=options.world,
                                             init_method=f"tcp://127.0.0.1:{options.port}")
        model = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = (torch.rand(20, options.batch, options.features) < 0.3).float()
    seconds = []
    for step in range(-options.warmup, options.steps):
        x = batches[step % len(batches)]
        begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bfloat16):
            output = model(x)
        negative_elbo(x, *output).backward()
        optimizer.step()
        if step >= 0:
            seconds.append(time.perf_counter() - begun)
    if rank == 0:
        median = statistics.median(seconds)
        print(json.dumps({"step_ms": median * 1e3, "samples_per_second": options.world * options.batch / median,
                          "blas": blas()}), flush=True)
    if options.world > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=784)
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 512])
    parser.add_argument("--latents", type=int, default=64)
    parser.add_argument("--batch", type=int, default=256, help="samples a process")
    parser.add_argument("--world", type=int, default=1, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--bfloat16", action="store_true", help="autocast")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--port", type=int, default=29517, help="where the processes meet")
    options = parser.parse_args()
    if options.world == 1:
        train(0, options)
    else:
        torch.multiprocessing.spawn(train, args=(options,), nprocs=options.world)


if __name__ == "__main__":
    sys.exit(main())
