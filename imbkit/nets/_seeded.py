"""Weights drawn from a seed, without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

__all__ = ["GENERATOR", "seeded"]

GENERATOR = RLock()
"""Held by whoever seeds torch's generator: all threads share it, and would draw from it in turn."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw what torch draws inside from a seed, on the CPU.

    Afterwards torch's own generator is where it was. On the CPU, so that weights do not depend
    on the device, and no generator of a device has to be put back.

    Parameters
    ----------
    seed : int
        0 or more.
    """
    with GENERATOR, torch.random.fork_rng(devices=[]), torch.device("cpu"):
        # Not torch.manual_seed, which sets the generators of all devices.
        torch.default_generator.manual_seed(seed)
        yield
