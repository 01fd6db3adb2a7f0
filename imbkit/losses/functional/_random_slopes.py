"""Margins times slopes that are drawn at random, as some convex loss would have them."""

import torch
from torch import Tensor

__all__ = ["random_slopes"]

_LEAST = 1e-6  # no slope is 0


def random_slopes(margins: Tensor, noise: Tensor, *, lam: float = 0.0) -> Tensor:
    """Return slopes at margins, of one decreasing convex function of margins a column.

    Parameters
    ----------
    margins : Tensor of shape (n,) or (n, n_labels)
        Log-odds of the label, with the sign of the label.
    noise : Tensor of that shape
        Numbers of a standard normal distribution; their order is of no account.
    lam : float, default=0.0
        Of the inverse Box-Cox transformation of the noise; 0 for exponentials.

    Returns
    -------
    Tensor of that shape
        From -1.000001 to -0.000001, never falling with the margin, without a gradient.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import random_slopes
    >>> random_slopes(torch.tensor([0.5, 2.0, -1.0]), torch.tensor([0.0, -1.0, 1.0]))
    tensor([-1.0000, -0.1839, -1.0000])
    """
    m = margins.detach()
    if lam == 0.0:
        size = noise.exp()
    else:
        size = (1 + lam * noise).clamp_min(0) ** (1 / lam)
    slopes = (-size.clamp_max(1)).sort(dim=0).values.to(m)
    slopes = slopes.gather(0, m.argsort(dim=0, stable=True).argsort(dim=0))
    # A tail that falls as the logarithm does: far on the right side nothing more is gained.
    return torch.where(m > 1, slopes / m.clamp_min(1), slopes) - _LEAST
