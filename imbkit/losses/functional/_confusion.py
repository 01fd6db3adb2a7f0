"""Which class is taken for which, as a smooth function of the logits, and its largest stretch."""

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of

__all__ = ["soft_confusion", "spectral_norm"]

_SMALL = 256  # above this many classes a decomposition costs more than the rest of a step
_STEPS = 100  # of the power iteration; the matrix has no negative entry, so it settles soon


def soft_confusion(
    logits: Tensor, target: Tensor, *, temperature: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Return how much each class is taken for each other one, as means over rows.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    temperature : float, default=1.0
        What logits are divided by in the softmax.
    weight : Tensor of shape (n,), default=None
        Of rows, in the means.

    Returns
    -------
    Tensor of shape (n_classes, n_classes)
        Row: class predicted; column: true class. The diagonal is 0, a column sums to less
        than 1, and is 0 where the class has no row.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import soft_confusion
    >>> soft_confusion(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor([[0.0000, 0.2500],
            [0.2500, 0.0000]])
    """
    z = columns_of(logits)
    own = target[:, None]
    beaten = torch.sigmoid(z - z.gather(1, own)).detach()
    taken = (beaten * (z / temperature).softmax(1)).scatter(1, own, 0.0)
    v = torch.ones_like(z[:, 0]) if weight is None else weight.to(z)
    mass = z.new_zeros(z.shape[1]).index_add(0, target, v)
    sums = z.new_zeros(z.shape[1], z.shape[1]).index_add(0, target, v[:, None] * taken)
    return (sums / mass.clamp_min(torch.finfo(z.dtype).tiny)[:, None]).T


def spectral_norm(matrix: Tensor) -> Tensor:
    """Return the largest singular value of a matrix without negative entries.

    Parameters
    ----------
    matrix : Tensor of shape (n_rows, n_columns)
        Numbers of 0 or more.

    Returns
    -------
    Tensor of shape ()
        At least 0; not a number if an entry is none.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import spectral_norm
    >>> spectral_norm(torch.tensor([[0.0, 3.0], [2.0, 0.0]]))
    tensor(3.)
    """
    if not bool(torch.isfinite(matrix.detach()).all()):
        return matrix.sum() * torch.nan  # torch would raise; a fit has better words for it
    if min(matrix.shape) <= _SMALL:
        values: Tensor = torch.linalg.svdvals(matrix)
        return values[0]
    still = matrix.detach()
    # The leading vectors have no negative entries, so that ones are never orthogonal to them.
    right = still.new_ones(still.shape[1])
    for _ in range(_STEPS):
        right = still.T @ (still @ right)
        right = right / right.norm().clamp_min(torch.finfo(still.dtype).tiny)
    left = still @ right
    left = left / left.norm().clamp_min(torch.finfo(still.dtype).tiny)
    stretched: Tensor = left @ (matrix @ right)
    return stretched
