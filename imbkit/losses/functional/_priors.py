"""Cross-entropy with logits moved, or labels weighted, by what is known of the class shares."""

import torch
from torch import Tensor

from imbkit.losses.functional._stable import binary_cross_entropy, cross_entropy

__all__ = [
    "balanced_softmax",
    "binary_logit_adjusted",
    "binary_vector_scaling",
    "gradient_balance",
    "label_weighted",
    "logit_adjusted",
    "vector_scaling",
]

_LEAST = 0.5  # rows that a class without any counts as: a logarithm must be finite
_NO_GRADIENT = 1e-10


def logit_adjusted(
    logits: Tensor, target: Tensor, log_prior: Tensor, *, tau: float = 1.0
) -> Tensor:
    """Return the cross-entropy of logits to which the log class shares are added.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    log_prior : Tensor of shape (n_classes,)
        Logarithms of the class shares, up to a constant.
    tau : float, default=1.0
        What they are multiplied by.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import logit_adjusted
    >>> shares = torch.tensor([0.9, 0.1])
    >>> logit_adjusted(torch.zeros(1, 2), torch.tensor([1]), shares.log()).neg().exp()
    tensor([0.1000])
    """
    added = (tau * log_prior).to(logits)
    if logits.ndim == 1:
        return binary_cross_entropy(logits + (added[1] - added[0]), target)
    return cross_entropy(logits + added, target)


def binary_logit_adjusted(
    logits: Tensor, target: Tensor, log_odds: Tensor, *, tau: float = 1.0
) -> Tensor:
    """Return the cross-entropy of labels of 0 or 1 with their log-odds added to the logits.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.
    log_odds : Tensor of shape (n_labels,)
        Logarithms of (rows with the label / rows without).
    tau : float, default=1.0
        What they are multiplied by.

    Returns
    -------
    Tensor of shape (n, n_labels)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import binary_logit_adjusted
    >>> odds = torch.tensor([1 / 9])
    >>> binary_logit_adjusted(torch.zeros(1, 1), torch.ones(1, 1), odds.log()).neg().exp()
    tensor([[0.1000]])
    """
    return binary_cross_entropy(logits + (tau * log_odds).to(logits), target)


def balanced_softmax(logits: Tensor, target: Tensor, counts: Tensor) -> Tensor:
    """Return the cross-entropy of logits to which the log class counts are added.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    counts : Tensor of shape (n_classes,)
        Rows of each class; a class without any counts as half a row.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import balanced_softmax
    >>> balanced_softmax(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([9, 1])).neg().exp()
    tensor([0.1000])
    """
    exact = counts.to(torch.promote_types(logits.dtype, torch.float32))
    return logit_adjusted(logits, target, exact.clamp_min(_LEAST).log())


def vector_scaling(
    logits: Tensor,
    target: Tensor,
    log_prior: Tensor,
    divisors: Tensor,
    *,
    tau: float = 1.0,
    scale: float = 1.0,
) -> Tensor:
    """Return the cross-entropy of logits that are divided and moved by class.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores.
    target : Tensor of int64, shape (n,)
        Class of each row.
    log_prior : Tensor of shape (n_classes,)
        Logarithms of the class shares, up to a constant.
    divisors : Tensor of shape (n_classes,)
        What the logits of each class are divided by: at least 1, more for rare classes.
    tau : float, default=1.0
        What the log shares are multiplied by.
    scale : float, default=1.0
        What the logits are multiplied by.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import vector_scaling
    >>> z, y, level = torch.tensor([[0.0, 4.0]]), torch.tensor([1]), torch.zeros(2)
    >>> vector_scaling(z, y, level, torch.tensor([1.0, 2.0]))
    tensor([0.1269])
    """
    return cross_entropy(
        scale * logits / divisors.to(logits) + (tau * log_prior).to(logits), target
    )


def binary_vector_scaling(
    logits: Tensor, target: Tensor, shift: Tensor, divisors: Tensor, *, scale: float = 1.0
) -> Tensor:
    """Return the cross-entropy of log-odds that are divided by what the own class asks for.

    Parameters
    ----------
    logits : Tensor of shape (n,)
        Log-odds of the second class.
    target : Tensor of int64, shape (n,)
        Class of each row, 0 or 1.
    shift : Tensor of shape ()
        What is added to the divided log-odds: log(share of class 1 / share of class 0).
    divisors : Tensor of shape (2,)
        What the log-odds of a row of each class are divided by.
    scale : float, default=1.0
        What their sum is multiplied by.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import binary_vector_scaling
    >>> s, y, shift = torch.tensor([4.0, 4.0]), torch.tensor([1, 0]), torch.tensor(0.0)
    >>> binary_vector_scaling(s, y, shift, torch.tensor([1.0, 2.0]))
    tensor([0.1269, 4.0181])
    """
    own = divisors.to(logits)[target.to(torch.int64)]
    return binary_cross_entropy(scale * (logits / own + shift.to(logits)), target)


def label_weighted(logits: Tensor, target: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the cross-entropy of labels of 0 or 1, each weighted by what it is.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.
    positive, negative : Tensor of shape (n_labels,)
        Weights of the labels 1 and of the labels 0.

    Returns
    -------
    Tensor of shape (n, n_labels)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import label_weighted
    >>> z, y = torch.zeros(1, 2), torch.tensor([[1, 0]])
    >>> label_weighted(z, y, torch.tensor([3.0, 3.0]), torch.tensor([1.0, 0.0]))
    tensor([[2.0794, 0.0000]])
    """
    weights = torch.where(target == 1, positive.to(logits), negative.to(logits))
    return weights * binary_cross_entropy(logits, target)


def gradient_balance(
    positive: Tensor,
    negative: Tensor,
    *,
    gamma: float = 12.0,
    mu: float = 0.8,
    alpha: float = 4.0,
    start: float = 100.0,
) -> tuple[Tensor, Tensor]:
    """Return weights of labels 1 and 0 by the gradients that each label has had from both.

    Parameters
    ----------
    positive, negative : Tensor of shape (n_labels,)
        Sums of the sizes of the gradients, from rows with and without the label.
    gamma : float, default=12.0
        How steeply the weights answer to the ratio of the two.
    mu : float, default=0.8
        The ratio at which the weights are half way.
    alpha : float, default=4.0
        By how much a label 1 is weighted up where labels 0 have no weight left.
    start : float, default=100.0
        The ratio while there is no gradient yet.

    Returns
    -------
    tuple of Tensor of shape (n_labels,)
        Weights of the labels 1, from 1 to 1 + alpha, and of the labels 0, from 0 to 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import gradient_balance
    >>> gradient_balance(torch.tensor([0.0, 0.8]), torch.tensor([0.0, 1.0]))
    (tensor([1., 3.]), tensor([1.0000, 0.5000]))
    """
    ratio = positive / negative.clamp_min(_NO_GRADIENT)
    ratio = torch.where(positive + negative > 0, ratio, start)
    down = torch.sigmoid(gamma * (ratio - mu))
    return 1 + alpha * (1 - down), down
