"""Cross-entropy bent: what single rows count for, by how well they are predicted."""

import math

import torch
from torch import Tensor

from imbkit.losses.functional._stable import (
    columns_of,
    log_probability,
    log_sigmoid_pair,
    log_softmax_pair,
)

__all__ = ["binary_focal", "comp_sum", "focal", "margin_gap", "poly1"]

_STEEP = 40.0  # exp of it, squared by an optimizer, is still a number of float32


def focal(logits: Tensor, target: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of each row, without weights of classes.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    gamma : float, default=2.0
        Power of the probability that is missing, 0 or more.

    Returns
    -------
    Tensor of shape (n,)
        -(1 - p)^gamma log p.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import focal
    >>> focal(torch.zeros(1, 2), torch.tensor([0]), gamma=1.0)
    tensor([0.3466])
    """
    log_p, log_rest = log_softmax_pair(logits, target)
    return -torch.exp(gamma * log_rest) * log_p


def binary_focal(logits: Tensor, target: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of each label of 0 or 1.

    Parameters
    ----------
    logits : Tensor of any shape
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.
    gamma : float, default=2.0
        Power of the probability that is missing, 0 or more.

    Returns
    -------
    Tensor of that shape
        -(1 - p)^gamma log p, for p the probability of the own label.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import binary_focal
    >>> binary_focal(torch.zeros(1), torch.tensor([1]), gamma=1.0)
    tensor([0.3466])
    """
    log_p, log_rest = log_sigmoid_pair(logits, target)
    return -torch.exp(gamma * log_rest) * log_p


def poly1(logits: Tensor, target: Tensor, *, eps1: float = 1.0, gamma: float = 0.0) -> Tensor:
    """Return the focal loss of each row with its leading term changed.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    eps1 : float, default=1.0
        What is added to the coefficient of the leading term, -1 or more.
    gamma : float, default=0.0
        Power of the focal loss; 0 for cross-entropy.

    Returns
    -------
    Tensor of shape (n,)
        -(1 - p)^gamma log p + eps1 (1 - p)^(gamma + 1).

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import poly1
    >>> poly1(torch.zeros(1, 2), torch.tensor([0]), eps1=2.0)
    tensor([1.6931])
    """
    log_p, log_rest = log_softmax_pair(logits, target)
    return eps1 * torch.exp((gamma + 1) * log_rest) - torch.exp(gamma * log_rest) * log_p


def comp_sum(logits: Tensor, target: Tensor, *, tau: float = 1.7) -> Tensor:
    """Return a function of the summed exponentials of the wrong classes' leads, for each row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    tau : float, default=1.7
        0 for the sum of exponentials, 1 for cross-entropy, between 1 and 2 for generalised
        cross-entropy, 2 for one minus the probability of the own class.

    Returns
    -------
    Tensor of shape (n,)
        (p^(tau - 1) - 1) / (1 - tau), or its limit -log p. Where p^(tau - 1) would be beyond
        exp(40), which needs ``tau < 1``, it goes on as a straight line of that slope.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import comp_sum
    >>> comp_sum(torch.zeros(1, 4), torch.tensor([0]), tau=2.0)
    tensor([0.7500])
    """
    log_p = log_probability(columns_of(logits), target)
    if tau == 1.0:
        return -log_p
    # Of expm1, so that nothing cancels near tau = 1, or where p is near 1.
    grown = (tau - 1) * log_p
    if tau > 1.0:
        return torch.expm1(grown) / (1 - tau)
    beyond = (grown - _STEEP).clamp_min(0)
    return (torch.expm1(grown.clamp_max(_STEEP)) + math.exp(_STEEP) * beyond) / (1 - tau)


def margin_gap(logits: Tensor, moved: Tensor, target: Tensor) -> Tensor:
    """Return how far the leads of each row's own class have moved.

    Parameters
    ----------
    logits, moved : Tensor of shape (n, n_classes) or (n,)
        Scores before and after; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.

    Returns
    -------
    Tensor of shape (n,)
        Euclidean length of the change of z_y - z_k over the other classes k.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import margin_gap
    >>> margin_gap(torch.zeros(1, 3), torch.tensor([[1.0, -2.0, -3.0]]), torch.tensor([0]))
    tensor([5.])
    """
    change = columns_of(moved) - columns_of(logits)
    own = change.gather(1, target[:, None])
    length: Tensor = torch.linalg.vector_norm(own - change, dim=1)
    return length
