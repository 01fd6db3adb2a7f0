"""Random numbers of a loss: a stream of its own, which is saved and copied with it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError

__all__ = ["Draws"]


class Draws(nn.Module):
    """Normal numbers, the same ones for the same seed and number of the draw.

    Part of a loss, so that the number of the draw is in its ``state_dict``.

    Parameters
    ----------
    seed : int
        0 or more.
    who : str
        The loss, for an error.
    """

    def __init__(self, seed: int, who: str) -> None:
        super().__init__()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
            rule = "seed must be a whole number, 0 or more"
            raise InvalidParameterError(message(who, rule, seed))
        self.seed = int(seed)
        self.drawn = 0

    def normal(self, like: Tensor) -> Tensor:
        """Draw standard normal numbers of the shape, type and device of a tensor."""
        # Mixed, as seeds that follow each other begin streams that are alike.
        mixed = np.random.SeedSequence((self.seed, self.drawn)).generate_state(1, np.uint64)[0]
        self.drawn += 1
        source = torch.Generator(device=like.device).manual_seed(int(mixed >> np.uint64(1)))
        return torch.randn(like.shape, generator=source, dtype=like.dtype, device=like.device)

    def restart(self) -> None:
        """Begin again."""
        self.drawn = 0

    def get_extra_state(self) -> Tensor:
        """Return the number of draws."""
        return torch.tensor(self.drawn)

    def set_extra_state(self, state: Any) -> None:
        """Take the number of draws."""
        self.drawn = int(state)
