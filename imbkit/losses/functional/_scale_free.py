"""A loss of logits as they stand out in their row, whatever their scale."""

import torch
from torch import Tensor

__all__ = ["z_loss", "z_scores"]

_FLAT = 1e-6  # rows of logits with a smaller standard deviation are divided by this


def z_scores(logits: Tensor) -> Tensor:
    """Return logits less the mean of their row, in standard deviations of their row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores.

    Returns
    -------
    Tensor of shape (n, n_classes)
        At most sqrt(n_classes - 1) in size; 0 in a row of equal logits.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import z_scores
    >>> z_scores(torch.tensor([[0.0, 2.0, 2.0, 4.0]])).square()
    tensor([[2.0000, 0.0000, 0.0000, 2.0000]])
    """
    centred = logits - logits.mean(1, keepdim=True)
    # The root is taken last: at 0 it has no gradient.
    return centred / centred.square().mean(1, keepdim=True).clamp_min(_FLAT**2).sqrt()


def z_loss(logits: Tensor, target: Tensor, *, a: float = 1.0, b: float = 1.0) -> Tensor:
    """Return how far each row's own class stands out too little.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores of three classes or more.
    target : Tensor of int64, shape (n,)
        Class of each row.
    a : float, default=1.0
        Steepness, above 0.
    b : float, default=1.0
        Standard deviations that the own class should stand out by.

    Returns
    -------
    Tensor of shape (n,)
        The logarithm of 1 + exp(a (b - zeta_y)), divided by a, for the z-scores zeta.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import z_loss
    >>> z_loss(torch.tensor([[0.0, 2.0, 2.0, 4.0]]), torch.tensor([1]), b=0.0).exp()
    tensor([2.])
    """
    own = z_scores(logits).gather(1, target[:, None])[:, 0]
    return -torch.nn.functional.logsigmoid(a * (own - b)) / a
