"""Logarithms of probabilities from logits, and what is built of them, without overflow."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

__all__ = [
    "binary_cross_entropy",
    "columns_of",
    "cross_entropy",
    "log_complement",
    "log_mean_exp",
    "log_probability",
    "masked_logsumexp",
    "signed",
    "unit_rows",
]

_NOTHING = 1e-12  # a shorter row has no direction


def columns_of(logits: Tensor) -> Tensor:
    """Return logits with a column for each class.

    Parameters
    ----------
    logits : Tensor of shape (n,) or (n, n_classes)
        One score a row is the log-odds of the second of two classes.

    Returns
    -------
    Tensor of shape (n, n_classes)
        For one score a row, that score beside a 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import columns_of
    >>> columns_of(torch.tensor([2.0, -1.0]))
    tensor([[ 0.,  2.],
            [ 0., -1.]])
    """
    if logits.ndim == 1:
        return torch.stack([torch.zeros_like(logits), logits], dim=1)
    return logits


def log_probability(logits: Tensor, target: Tensor) -> Tensor:
    """Return the logarithm of the softmax probability of each row's own class.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores.
    target : Tensor of int64, shape (n,)
        Class of each row.

    Returns
    -------
    Tensor of shape (n,)
        At most 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import log_probability
    >>> log_probability(torch.tensor([[1e4, 0.0]]), torch.tensor([1]))
    tensor([-10000.])
    """
    return logits.log_softmax(1).gather(1, target[:, None])[:, 0]


def log_complement(logits: Tensor, target: Tensor) -> Tensor:
    """Return the logarithm of the probability that a row is not of its own class.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores, of two classes or more.
    target : Tensor of int64, shape (n,)
        Class of each row.

    Returns
    -------
    Tensor of shape (n,)
        The logarithm of 1 - p, at most 0, also where p rounds to 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import log_complement
    >>> log_complement(torch.tensor([[200.0, 0.0]]), torch.tensor([0]))
    tensor([-200.])
    """
    own = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, target[:, None], True)
    return masked_logsumexp(logits, ~own) - logits.logsumexp(1)


def masked_logsumexp(logits: Tensor, kept: Tensor) -> Tensor:
    """Return the logarithm of the sum of exponentials of the entries kept in each row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_columns)
        Any numbers.
    kept : Tensor of bool, shape (n, n_columns)
        Which count.

    Returns
    -------
    Tensor of shape (n,)
        A number below any other where nothing is kept: minus infinity would have a gradient
        that is no number.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import masked_logsumexp
    >>> masked_logsumexp(torch.tensor([[1.0, 5.0]]), torch.tensor([[True, False]]))
    tensor([1.])
    """
    return logits.masked_fill(~kept, torch.finfo(logits.dtype).min / 4).logsumexp(1)


def log_mean_exp(values: Tensor, dim: int = -1) -> Tensor:
    """Return the logarithm of the mean of exponentials.

    Parameters
    ----------
    values : Tensor
        Any numbers.
    dim : int, default=-1
        The dimension that the mean is taken along.

    Returns
    -------
    Tensor
        One dimension less.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import log_mean_exp
    >>> log_mean_exp(torch.tensor([1000.0, 1000.0]))
    tensor(1000.)
    """
    return values.logsumexp(dim) - math.log(values.shape[dim])


def signed(logits: Tensor, target: Tensor) -> Tensor:
    """Return binary logits with the sign of the class: positive where the row is right.

    Parameters
    ----------
    logits : Tensor of any shape
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.

    Returns
    -------
    Tensor
        (2 target - 1) logits; its ``logsigmoid`` is the logarithm of the probability of the own
        label, that of its negative the logarithm of the rest.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import signed
    >>> signed(torch.tensor([3.0, 3.0]), torch.tensor([1, 0]))
    tensor([ 3., -3.])
    """
    return (2 * target.to(logits.dtype) - 1) * logits


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of each row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import cross_entropy
    >>> cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).exp()
    tensor([2.])
    """
    if logits.ndim == 1:
        return binary_cross_entropy(logits, target)
    return torch.nn.functional.cross_entropy(logits, target, reduction="none")


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of each label of 0 or 1.

    Parameters
    ----------
    logits : Tensor of any shape
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.

    Returns
    -------
    Tensor of that shape
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import binary_cross_entropy
    >>> binary_cross_entropy(torch.tensor([0.0, 50.0]), torch.tensor([0, 1])).exp().round()
    tensor([2., 1.])
    """
    # Not softplus, which is a straight line from 20 on.
    return -logsigmoid(signed(logits, target))


def unit_rows(values: Tensor) -> Tensor:
    """Return rows divided by their Euclidean length; a row of zeros stays one.

    Parameters
    ----------
    values : Tensor of shape (n, n_columns)
        Rows.

    Returns
    -------
    Tensor of that shape
        Rows of length 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import unit_rows
    >>> unit_rows(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    lengths: Tensor = values.norm(dim=1, keepdim=True)
    return values / lengths.clamp_min(_NOTHING)


def log_sigmoid_pair(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p of each row's own label and log(1 - p), for labels of 0 and 1."""
    u = signed(logits, target)
    return logsigmoid(u), logsigmoid(-u)


def log_softmax_pair(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p of each row's own class and log(1 - p), for logits of any shape of classes."""
    if logits.ndim == 1 or logits.shape[1] == 2:
        # Of two classes the rest is the other one, for half of the work.
        gap = logits if logits.ndim == 1 else logits[:, 1] - logits[:, 0]
        return log_sigmoid_pair(gap, target)
    return log_probability(logits, target), log_complement(logits, target)
