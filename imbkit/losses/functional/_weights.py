"""Weights of classes and rows: how much each counts in a loss."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of, log_complement, signed

__all__ = [
    "cluster_likelihood_weights",
    "effective_number_weights",
    "influence_weights",
    "kl_dro_value",
    "kl_dro_weights",
    "loss_based_weights",
]

WeightShape: TypeAlias = Literal["linupper", "quadratic", "extremes", "upper"]

_LEAST_INFLUENCE = 1e-3  # of the authors: a row without any influence has a finite weight
_LEAST_RANGE = 1e-6  # losses that differ by less are taken as equal


def effective_number_weights(counts: Tensor, *, beta: float = 0.9999) -> Tensor:
    """Return one over the effective number of rows of each class.

    Parameters
    ----------
    counts : Tensor of any shape
        Rows; fewer than one count as one.
    beta : float, default=0.9999
        From 0, where all weights are 1, to 1, where they are one over the counts.

    Returns
    -------
    Tensor of float64, of that shape
        (1 - beta) / (1 - beta^n), not normalised.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import effective_number_weights
    >>> effective_number_weights(torch.tensor([1, 2, 1000]), beta=0.9)
    tensor([1.0000, 0.5263, 0.1000], dtype=torch.float64)
    """
    n = counts.to(torch.float64).clamp_min(1.0)
    if beta == 1.0:
        return 1.0 / n
    log_beta = math.log(beta) if beta > 0 else -math.inf
    return -(1.0 - beta) / torch.expm1(n * log_beta)


def cluster_likelihood_weights(shares: Tensor, *, gamma: float = 5.0, eta: float = 1.0) -> Tensor:
    """Return weights that are smaller the more rows look like a row.

    Parameters
    ----------
    shares : Tensor of shape (n,)
        Share of the rows that lie in the cluster of each, from 0 to 1.
    gamma : float, default=5.0
        The power, 0 or more.
    eta : float, default=1.0
        What is added, 0 or more: weights lie between eta / (eta + 1) and 1.

    Returns
    -------
    Tensor of shape (n,)
        (eta + (1 - share)^gamma) / (eta + 1).

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import cluster_likelihood_weights
    >>> cluster_likelihood_weights(torch.tensor([0.0, 0.5, 1.0]))
    tensor([1.0000, 0.5156, 0.5000])
    """
    return (eta + (1.0 - shares) ** gamma) / (eta + 1.0)


def influence_weights(
    logits: Tensor, target: Tensor, embedding: Tensor, *, alpha: float = 1000.0
) -> Tensor:
    """Return weights that are smaller the more a row moves the last layer.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes), (n,) or (n, n_labels)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of shape (n,) or (n, n_labels)
        Class of each row, or labels 0 and 1; others are missing and do not count.
    embedding : Tensor of shape (n, n_features)
        What the last layer is given.
    alpha : float, default=1000.0
        What the weights are multiplied by.

    Returns
    -------
    Tensor of shape (n,)
        Weights alpha / (influence + 0.001). The influence is the sum of the absolute entries of
        the gradient of a row's cross-entropy by the weights of the last layer.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import influence_weights
    >>> z, e = torch.zeros(2, 2), torch.tensor([[1.0, -1.0], [4.0, 4.0]])
    >>> influence_weights(z, torch.tensor([0, 1]), e, alpha=1.0)
    tensor([0.4998, 0.1250])
    """
    if target.ndim == 2:
        known = target >= 0
        wrong = torch.sigmoid(-signed(logits, target.where(known, 0))).where(known, 0).sum(1)
    else:
        # |p - onehot| sums to (1 - p_y) for the own class, and once more for all the others.
        wrong = 2.0 * log_complement(columns_of(logits), target).exp()
    return alpha / (wrong * embedding.flatten(1).abs().sum(1) + _LEAST_INFLUENCE)


def loss_based_weights(
    losses: Tensor,
    *,
    shape: WeightShape = "linupper",
    temperature: float = 1.0,
    delta: float = 1.0,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Return weights by where the loss of each row lies between the least and the largest.

    Parameters
    ----------
    losses : Tensor of shape (n,)
        Losses.
    shape : {"linupper", "quadratic", "extremes", "upper"}, default="linupper"
        Of h, the loss moved to lie between -delta and delta: the smaller of h + delta and delta;
        1 - (h / delta)^2; the absolute value of h; (h + delta) / 2.
    temperature : float, default=1.0
        What that is divided by, above 0; all weights are alike where it is large.
    delta : float, default=1.0
        Half the range, above 0.
    sample_weight : Tensor of shape (n,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    Tensor of shape (n,)
        Softmax over the batch, times the number of rows: the mean is 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import loss_based_weights
    >>> loss_based_weights(torch.tensor([0.0, 1.0, 2.0]), shape="upper")
    tensor([0.5590, 0.9216, 1.5194])
    """
    kept = _counting(losses, sample_weight)
    top = losses.masked_fill(~kept, -torch.inf).max()
    bottom = losses.masked_fill(~kept, torch.inf).min()
    h = 2.0 * delta * (losses - bottom) / (top - bottom).clamp_min(_LEAST_RANGE) - delta
    if shape == "linupper":
        score = (h + delta).clamp_max(delta)
    elif shape == "quadratic":
        score = 1.0 - (h / delta) ** 2
    elif shape == "extremes":
        score = h.abs()
    else:
        score = (h + delta) / 2.0
    return kl_dro_weights(score, temperature=temperature, sample_weight=sample_weight)


def kl_dro_weights(
    losses: Tensor, *, temperature: float = 1.0, sample_weight: Tensor | None = None
) -> Tensor:
    """Return the weights that make the losses worst, at a price for being uneven.

    Parameters
    ----------
    losses : Tensor of shape (n,)
        Losses.
    temperature : float, default=1.0
        The price of a unit of Kullback-Leibler divergence from equal weights, above 0.
    sample_weight : Tensor of shape (n,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    Tensor of shape (n,)
        Softmax of losses / temperature, times the number of rows: the mean is 1.

    See Also
    --------
    kl_dro_value : What the weighted mean is, less that price.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import kl_dro_weights
    >>> kl_dro_weights(torch.tensor([0.0, 0.0, 1.0]))
    tensor([0.6358, 0.6358, 1.7284])
    """
    kept = _counting(losses, sample_weight)
    score = _below_top(losses, kept, temperature)
    return torch.exp(score - _log_mean(score, sample_weight, kept))


def kl_dro_value(
    losses: Tensor, *, temperature: float = 1.0, sample_weight: Tensor | None = None
) -> Tensor:
    """Return the largest weighted mean of losses, less the price of uneven weights.

    Parameters
    ----------
    losses : Tensor of shape (n,)
        Losses.
    temperature : float, default=1.0
        That price for a unit of Kullback-Leibler divergence, above 0: the mean of the losses
        where it is large, the largest of them near 0.
    sample_weight : Tensor of shape (n,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    Tensor of shape ()
        The value temperature log mean exp(losses / temperature). Its gradient is that of the
        mean of the losses times constant :func:`kl_dro_weights`.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import kl_dro_value
    >>> kl_dro_value(torch.tensor([0.0, 0.0, 1.0]))
    tensor(0.4528)
    """
    kept = _counting(losses, sample_weight)
    top = losses.masked_fill(~kept, -torch.inf).max().detach()
    score = _below_top(losses, kept, temperature)
    return top + temperature * _log_mean(score, sample_weight, kept)


def _counting(losses: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Mark the rows whose weight is not 0: all of them if that is none."""
    if sample_weight is None:
        return torch.ones_like(losses, dtype=torch.bool)
    kept = sample_weight.to(losses.device) > 0
    return kept | ~kept.any()


def _below_top(losses: Tensor, kept: Tensor, temperature: float) -> Tensor:
    """Return (loss - the largest) / temperature; a number below any other where not kept."""
    # Subtracted first: a small temperature must not send all losses to infinity.
    top = losses.masked_fill(~kept, -torch.inf).max().detach()
    lowest = torch.finfo(losses.dtype).min / 4
    return ((losses - top) / temperature).clamp_min(lowest).masked_fill(~kept, lowest)


def _log_mean(score: Tensor, sample_weight: Tensor | None, kept: Tensor) -> Tensor:
    """Return the logarithm of the weighted mean of exponentials of the rows that are kept."""
    if sample_weight is None:
        return score.logsumexp(0) - math.log(len(score))
    v = sample_weight.to(score)
    v = torch.where(kept, torch.where(v > 0, v, 1.0), 0.0)
    log_v = torch.where(kept, v, 1.0).log()
    return (score + log_v).logsumexp(0) - v.sum().log()
