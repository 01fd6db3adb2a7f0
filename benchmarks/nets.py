"""Training loops side by side: imbkit's, a bare loop of torch, and skorch's as it comes.

Run: python benchmarks/nets.py [epoch losses gpu] [--repeats 5]

epoch   seconds of an epoch over 200,000 x 30, two hidden layers of 128, batches of 512, on the
        processor: a bare loop over tensors, ImbalancedNetClassifier's engine, skorch's default
losses  seconds of a training step with each loss of single rows beside plain cross-entropy
gpu     rows a second over 1,000,000 x 30 for batches of 512, 4,096 and 65,536 on an accelerator,
        beside the same two loops; left out where there is none

Threads are those that OMP_NUM_THREADS allows.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from _timing import machine
from skorch import NeuralNetClassifier
from torch import nn

from imbkit.losses import ClassStats, LossContext, get_loss
from imbkit.nets import ImbNet

SHAPE = (200_000, 30)
BATCH = 512
ROW_LOSSES = (
    "focal",
    "cb_focal",
    "poly1",
    "comp_sum",
    "ldr_kl",
    "logit_adjusted",
    "balanced_softmax",
    "vector_scaling",
    "ldam",
    "seesaw",
    "asl",
)


def body() -> nn.Sequential:
    """Two hidden layers of 128."""
    return nn.Sequential(
        nn.Linear(SHAPE[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2)
    )


def made(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard normal columns; one row in twenty is of the class 1."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, SHAPE[1]), dtype=np.float32)
    score = X[:, 0] + np.sin(2 * X[:, 1]) * X[:, 2]
    y = (score > np.quantile(score, 0.95)).astype(np.int64)
    return torch.from_numpy(X), torch.from_numpy(y)


def bare(X: torch.Tensor, y: torch.Tensor, epochs: int, size: int) -> None:
    """Train by the shortest loop that there is."""
    net = body().to(X.device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for _ in range(epochs):
        order = torch.randperm(len(X)).to(X.device)
        for low in range(0, len(X), size):
            at = order[low : low + size]
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(X[at]), y[at]).backward()
            optimizer.step()
    if X.is_cuda:
        torch.cuda.synchronize()


def ours(X: torch.Tensor, y: torch.Tensor, epochs: int, size: int) -> None:
    """Train by imbkit's engine."""
    ImbNet(
        body,
        optimizer=torch.optim.AdamW,
        lr=1e-3,
        max_epochs=epochs,
        batch_size=size,
        train_split=None,
        scoring=None,
        device=str(X.device),
        verbose=0,
    ).fit(X, y)


def theirs(X: torch.Tensor, y: torch.Tensor, epochs: int, size: int) -> None:
    """Train by skorch as it comes."""
    NeuralNetClassifier(
        body,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=1e-3,
        max_epochs=epochs,
        batch_size=size,
        train_split=None,
        iterator_train__shuffle=True,
        device=str(X.device),
        verbose=0,
    ).fit(X.cpu().numpy(), y.cpu().numpy())


LOOPS = {"bare loop": bare, "imbkit": ours, "skorch": theirs}


def rounds(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return median seconds of each, run in turns after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def epoch(options: argparse.Namespace) -> None:
    """Time an epoch."""
    X, y = made(SHAPE[0])
    runs = {name: partial(loop, X, y, 1, BATCH) for name, loop in LOOPS.items()}
    found = rounds(runs, options.repeats)
    print("| loop | seconds of an epoch | beside the bare loop |\n|---|--:|--:|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.2f} | {seconds / found['bare loop']:.2f} |")
    print(f"\nskorch / imbkit {found['skorch'] / found['imbkit']:.1f}; targets 1.3 and 3")


def losses(options: argparse.Namespace) -> None:
    """Time a step with each loss."""
    X, y = made(BATCH)
    stats = ClassStats.from_labels(y.numpy())
    net = body()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)

    def steps(loss: nn.Module, count: int = 100) -> None:
        for _ in range(count):
            optimizer.zero_grad(set_to_none=True)
            loss.value(LossContext(net(X), y, index=torch.arange(len(y)))).backward()
            optimizer.step()

    made_of = {}
    for name in ("cross_entropy", *ROW_LOSSES):
        loss = get_loss(name)
        loss.setup(stats)
        made_of[name] = partial(steps, loss)
    found = rounds(made_of, options.repeats)
    base = found["cross_entropy"]
    print("| loss | a step beside cross-entropy |\n|---|--:|")
    for name, seconds in found.items():
        print(f"| {name} | {seconds / base:.2f} |")
    print(f"\ncross-entropy: {base * 10:.2f} ms a step; target 1.2")


def gpu(options: argparse.Namespace) -> None:
    """Time epochs on an accelerator."""
    if not torch.cuda.is_available():
        print("left out: torch finds no accelerator")
        return
    print(f"{torch.cuda.get_device_name()}\n")
    X, y = (each.cuda() for each in made(1_000_000))
    print("| batch | loop | rows a second |\n|--:|---|--:|")
    for size in (512, 4_096, 65_536):
        runs = {name: partial(loop, X, y, 1, size) for name, loop in LOOPS.items()}
        for name, seconds in rounds(runs, max(1, options.repeats // 2)).items():
            print(f"| {size:,} | {name} | {len(X) / seconds:,.0f} |", flush=True)


PARTS = {"epoch": epoch, "losses": losses, "gpu": gpu}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"parts are {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")
    threads = torch.get_num_threads()
    print(f"{machine()}, torch {torch.__version__}, {threads} threads")
    for name in options.parts:
        print(f"\n## {name}\n", flush=True)
        PARTS[name](options)


if __name__ == "__main__":
    main()
