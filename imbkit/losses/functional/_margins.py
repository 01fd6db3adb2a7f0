"""Cross-entropy with margins between classes, wider or narrower by how rare they are."""

import math

import torch
from torch import Tensor

from imbkit.losses.functional._stable import binary_cross_entropy, columns_of, cross_entropy

__all__ = ["binary_ldam", "ldam", "seesaw"]

_LEAST_PROBABILITY = 1e-2  # of the own class, as a divisor


def ldam(logits: Tensor, target: Tensor, margins: Tensor, *, scale: float = 1.0) -> Tensor:
    """Return the cross-entropy of logits that fall short of their own class's by a margin.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    margins : Tensor of shape (n_classes,)
        What is taken off the score of a row's own class.
    scale : float, default=1.0
        What the scores are multiplied by afterwards.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import ldam
    >>> ldam(torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([0.0, 0.5]))
    tensor([0.6931, 0.9741])
    """
    z = columns_of(logits)
    taken = torch.zeros_like(z).scatter(1, target[:, None], margins.to(z)[target][:, None])
    return cross_entropy(scale * (z - taken), target)


def binary_ldam(logits: Tensor, target: Tensor, margins: Tensor, *, scale: float = 1.0) -> Tensor:
    """Return the cross-entropy of labels of 0 or 1, with a margin where the label is 1.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1.
    margins : Tensor of shape (n_labels,)
        What is taken off the log-odds of a label that is there.
    scale : float, default=1.0
        What the log-odds are multiplied by afterwards.

    Returns
    -------
    Tensor of shape (n, n_labels)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import binary_ldam
    >>> binary_ldam(torch.zeros(1, 2), torch.tensor([[0, 1]]), torch.tensor([0.5, 0.5]))
    tensor([[0.6931, 0.9741]])
    """
    return binary_cross_entropy(scale * (logits - margins.to(logits) * target), target)


def seesaw(
    logits: Tensor, target: Tensor, log_counts: Tensor, *, p: float = 0.8, q: float = 2.0
) -> Tensor:
    """Return the cross-entropy of logits whose rivals count less if rare, more if they win.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    log_counts : Tensor of shape (n_classes,)
        Logarithms of the rows of each class, up to a constant.
    p : float, default=0.8
        Power of the ratio of counts, by which rarer rivals count less.
    q : float, default=2.0
        Power of the ratio of probabilities, by which likelier rivals count more.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import seesaw
    >>> seesaw(torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([9.0, 1.0]).log())
    tensor([0.1591, 0.6931])
    """
    z = columns_of(logits)
    level = log_counts.to(z)
    own = target[:, None]
    mitigated = (level[None, :] - level[own]).clamp_max(0)
    log_p = z.detach().log_softmax(1)
    # The probabilities only say how much a rival counts: no gradient passes through them.
    won = (log_p - log_p.gather(1, own).clamp_min(math.log(_LEAST_PROBABILITY))).clamp_min(0)
    # Both are 0 for the own class.
    return cross_entropy(z + (p * mitigated + q * won), target)
