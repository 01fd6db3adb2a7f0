"""Sigmoids moved, row by row, so that they sum to a number of labels."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

__all__ = ["log_soft_top_k", "soft_top_k"]

_HALVINGS = 32
_POLISH = 3  # steps of Newton's method, from where halving has led
_REACH = 10.0  # a sigmoid this far out is 0 or 1 for the purpose


def log_soft_top_k(
    logits: Tensor, k: int | Tensor, *, sharpness: float = 2.0, kept: Tensor | None = None
) -> Tensor:
    """Return the logarithms of soft memberships among the k largest of each row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Scores.
    k : int or Tensor of shape (n,)
        To what the memberships sum, above 0; fewer than are kept.
    sharpness : float, default=2.0
        What scores are multiplied by; with a large one members are those with the largest
        scores.
    kept : Tensor of bool, that shape, default=None
        Which take part; None for all.

    Returns
    -------
    Tensor of that shape
        At most 0: log sigmoid(sharpness (z + t)), with a t for each row; 0 where not kept.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import log_soft_top_k
    >>> log_soft_top_k(torch.zeros(1, 4), 1).exp()
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    if kept is None:
        kept = torch.ones_like(logits, dtype=torch.bool)
    size = torch.as_tensor(k, device=logits.device).expand(len(logits))
    found: Tensor = _LogSoftTopK.apply(logits, size, kept, sharpness)  # type: ignore[no-untyped-call]
    return found


def soft_top_k(
    logits: Tensor, target: Tensor, *, k: int | None = 5, sharpness: float = 2.0
) -> Tensor:
    """Return how far a row's labels are from being among the k largest scores.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Scores.
    target : Tensor of that shape
        Labels 0 and 1; -1 or NaN where unknown.
    k : int, default=5
        Places; None for as many as the row has labels.
    sharpness : float, default=2.0
        What scores are multiplied by.

    Returns
    -------
    Tensor of shape (n,)
        Mean over the row's labels of -log membership, at least 0; 0 for a row without labels,
        or with a place for every label that is known.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import soft_top_k
    >>> soft_top_k(torch.zeros(1, 4), torch.tensor([[1, 0, 0, 0]]), k=2).exp()
    tensor([2.])
    """
    positive, known = target == 1, target >= 0
    n_positive, n_known = positive.sum(1), known.sum(1)
    places = n_positive if k is None else torch.full_like(n_positive, k)
    contested = (places < n_known) & (n_positive > 0)
    # There is no such t in the other rows: they get a half of what they have, and are left out.
    places = torch.where(contested, places.to(logits), n_known.to(logits) / 2)
    items = -log_soft_top_k(logits, places, sharpness=sharpness, kept=known)
    total = items.where(positive & contested[:, None], 0.0).sum(1)
    return total / n_positive.clamp_min(1)


class _LogSoftTopK(torch.autograd.Function):
    """The logarithm of memberships, whose gradient knows that the threshold moves along."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, k: Tensor, kept: Tensor, sharpness: float) -> Tensor:
        """Find the threshold of each row, in float64 where there is such a thing."""
        wide = logits.float() if logits.device.type == "mps" else logits.double()
        # Shifted, since t is of the size of the scores and would cost them their digits.
        top = wide.masked_fill(~kept, -torch.inf).amax(1, keepdim=True)
        wide = torch.where(kept, sharpness * (wide - top), -torch.inf)
        moved = (wide + _threshold(wide, k.to(wide)[:, None])).where(kept, 0.0)
        ctx.save_for_backward(moved, kept)
        ctx.sharpness = sharpness
        return logsigmoid(moved).where(kept, 0.0).to(logits)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        """Take from each entry its share of what moves the threshold."""
        moved, kept = ctx.saved_tensors
        u = (ctx.sharpness * torch.sigmoid(-moved) * grad).where(kept, 0.0)
        # s (1 - s), divided by its sum: of logarithms, as all of them may be below any number.
        log_slope = (logsigmoid(moved) + logsigmoid(-moved)).masked_fill(
            ~kept, torch.finfo(moved.dtype).min / 4
        )
        found = u - log_slope.softmax(1) * u.sum(1, keepdim=True)
        return found.where(kept, 0.0).to(grad), None, None, None


def _threshold(z: Tensor, k: Tensor) -> Tensor:
    """Return t of each row with sum of sigmoid(z + t) = k, for scores up to 0, or -inf."""
    n_labels = max(z.shape[1], 2)
    reach = _REACH + math.log(n_labels)
    least = z.masked_fill(z == -torch.inf, 0.0).amin(1, keepdim=True)
    low, width = torch.full_like(k, -reach), 2 * reach - least
    for _ in range(_HALVINGS):
        width = width / 2
        low = low + width * (torch.sigmoid(z + (low + width)).sum(1, keepdim=True) < k)
    t = low + width / 2
    for _ in range(_POLISH):
        s = torch.sigmoid(z + t)
        slope = (s * (1 - s)).sum(1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)
        step = (k - s.sum(1, keepdim=True)) / slope
        t = torch.minimum(torch.maximum(t + step, low), low + width)
    return t
