"""Where a net computes, and random numbers that leave no trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.nets._seeded import GENERATOR

__all__ = ["device_of", "training_seed"]


def device_of(device: str, who: str) -> torch.device:
    """Return a device.

    Parameters
    ----------
    device : str
        "auto" is CUDA, else Apple's, else the processor; or a name of torch's.
    who : str
        The class that messages speak for.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        rule = 'device must be "auto" or a device of torch, such as "cpu" or "cuda:0"'
        raise InvalidParameterError(message(who, rule, device)) from error
    try:
        torch.zeros(1, device=found).cpu()
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        rule = f"device {device!r} must be one that torch can compute on here"
        raise InvalidParameterError(message(who, rule, "none", "Use 'auto' or 'cpu'")) from error
    return found


@contextmanager
def training_seed(seed: int, device: torch.device) -> Iterator[None]:
    """Draw what torch draws inside from a seed, and put its generators back afterwards.

    Parameters
    ----------
    seed : int
        0 or more.
    device : torch.device
        Where the net is.
    """
    devices = [device] if device.type == "cuda" else []
    with GENERATOR, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed % 2**63)
        for each in devices:
            with torch.cuda.device(each):  # no other one, whose state is not put back
                torch.cuda.manual_seed(seed % 2**63)
        yield
