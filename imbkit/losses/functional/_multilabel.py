"""Losses of several labels a row; labels that are missing (-1 or NaN) count for nothing."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from imbkit.losses.functional._stable import (
    binary_cross_entropy,
    columns_of,
    log_complement,
    masked_logsumexp,
    unit_rows,
)

__all__ = [
    "asymmetric",
    "asymmetric_softmax",
    "decoupled_softmax",
    "label_class_balanced",
    "label_contrast",
    "label_correlation",
    "pu_multilabel",
]

_NARROWEST = 1e-3  # logits of a label that all rows share have no spread to be divided by


def asymmetric(
    logits: Tensor,
    target: Tensor,
    *,
    gamma_pos: float = 0.0,
    gamma_neg: float | Tensor = 4.0,
    margin: float = 0.05,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of each label.

    Parameters
    ----------
    logits : Tensor of any shape
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1; -1 or NaN where unknown.
    gamma_pos : float, default=0.0
        Power of 1 - p for the label 1.
    gamma_neg : float or Tensor of shape (n_labels,), default=4.0
        Power of the lowered p for the label 0.
    margin : float, default=0.05
        By how much p is lowered for the label 0, to 0 at least.
    detach_focus : bool, default=False
        Whether the powers carry no gradient.

    Returns
    -------
    Tensor of that shape
        At least 0; 0 where the label is unknown.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import asymmetric
    >>> asymmetric(torch.tensor([0.0, 0.0, -4.0]), torch.tensor([1, 0, 0]))
    tensor([0.6931, 0.0245, 0.0000])
    """
    log_p = logsigmoid(logits)
    focus_pos = torch.exp(gamma_pos * logsigmoid(-logits)) if gamma_pos else torch.ones_like(log_p)
    gamma = gamma_neg.to(logits) if isinstance(gamma_neg, Tensor) else gamma_neg
    if margin > 0:
        p = torch.sigmoid(logits)
        inside = p > margin
        # A power of 0 has no finite gradient, hence the 1 where it is not used.
        focus_neg = torch.where(inside, p - margin, 1.0) ** gamma
        # 1 - p by its own sigmoid: the difference loses all digits for a small margin.
        cost = -torch.log(torch.sigmoid(-logits) + margin)
        cost = torch.where(inside, cost.clamp_min(0.0), 0.0)
    else:
        focus_neg, cost = torch.exp(gamma * log_p), -logsigmoid(-logits)
    if detach_focus:
        focus_pos, focus_neg = focus_pos.detach(), focus_neg.detach()
    items = torch.where(target == 1, -focus_pos * log_p, focus_neg * cost)
    return items.where(_known(target), 0.0)


def asymmetric_softmax(
    logits: Tensor,
    target: Tensor,
    *,
    gamma_pos: float = 0.0,
    gamma_neg: float = 4.0,
    label_smoothing: float = 0.1,
    detach_focus: bool = False,
) -> Tensor:
    """Return the asymmetric loss of each row that has one class of several.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    gamma_pos : float, default=0.0
        Power of 1 - p for the own class.
    gamma_neg : float, default=4.0
        Power of p for the other classes.
    label_smoothing : float, default=0.1
        Mass of the target that is spread evenly over all classes; without any of it the other
        classes have no terms.
    detach_focus : bool, default=False
        Whether the powers carry no gradient.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import asymmetric_softmax
    >>> asymmetric_softmax(torch.zeros(1, 2), torch.tensor([1]), label_smoothing=0.0)
    tensor([0.6931])
    """
    z = columns_of(logits)
    log_p = z.log_softmax(1)
    own = torch.zeros_like(z).scatter_(1, target[:, None], 1.0)
    log_focus = torch.where(
        own == 1, gamma_pos * log_complement(z, target)[:, None], gamma_neg * log_p
    )
    focus = log_focus.exp()
    if detach_focus:
        focus = focus.detach()
    mass = (1 - label_smoothing) * own + label_smoothing / z.shape[1]
    return -(mass * focus * log_p).sum(1)


def label_class_balanced(
    logits: Tensor, target: Tensor, weights: Tensor, *, penalty: float = 0.5
) -> Tensor:
    """Return the weighted cross-entropy of each label, and a price of false alarms.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels) or (n,)
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels 0 and 1; -1 or NaN where unknown.
    weights : Tensor of shape (2, n_labels)
        Of the labels 0 and of the labels 1.
    penalty : float, default=0.5
        Price of the probability of a label that is 0.

    Returns
    -------
    Tensor of that shape
        At least 0; 0 where the label is unknown.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import label_class_balanced
    >>> z, y = torch.zeros(2, 1), torch.tensor([[0], [1]])
    >>> label_class_balanced(z, y, torch.tensor([[0.25], [0.75]]), penalty=0.0)
    tensor([[0.1733],
            [0.5199]])
    """
    known, positive = _known(target), target == 1
    w = weights.to(logits)
    items = torch.where(positive, w[1], w[0]) * binary_cross_entropy(logits, positive)
    items = items + penalty * torch.where(positive, 0.0, torch.sigmoid(logits))
    return items.where(known, 0.0)


def label_correlation(logits: Tensor, target: Tensor, affinity: Tensor) -> Tensor:
    """Return by how much probabilities of labels differ that belong together.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Log-odds of the label 1.
    target : Tensor of that shape
        Labels, of which only those that are unknown (-1 or NaN) matter: their pairs are left
        out.
    affinity : Tensor of shape (n_labels, n_labels)
        How much two labels belong together; symmetric, not negative, 0 on the diagonal.

    Returns
    -------
    Tensor of shape (n,)
        Sum over pairs of affinity times squared difference, by the sum of all affinities.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import label_correlation
    >>> z, y = torch.tensor([[50.0, -50.0]]), torch.tensor([[1, 0]])
    >>> label_correlation(z, y, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    tensor([1.])
    """
    known = _known(target).to(logits)
    p, r = torch.sigmoid(logits) * known, affinity.to(logits)
    # Sums over pairs without an array of rows by labels by labels.
    apart = (p * p * (known @ r)).sum(1) - (p * (p @ r)).sum(1)
    return apart / (r.sum() / 2).clamp_min(torch.finfo(r.dtype).tiny)


def label_contrast(embedding: Tensor, target: Tensor, *, temperature: float = 0.1) -> Tensor:
    """Return how badly rows with common labels lie together, seen from each row.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        What the last layer is given.
    target : Tensor of shape (n, n_labels)
        Labels 0 and 1; two rows are compared by the labels that are known of both.
    temperature : float, default=0.1
        What cosines are divided by.

    Returns
    -------
    Tensor of shape (n,)
        Cross-entropy of the similarities to the other rows, the target being the Jaccard index
        of the labels; 0 for a row that has no label in common with another.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import label_contrast
    >>> labels = torch.tensor([[1, 0], [1, 0], [0, 1]])
    >>> label_contrast(torch.eye(3), labels)
    tensor([0.6931, 0.6931, 0.0000])
    """
    has, known = (target == 1).to(embedding), _known(target).to(embedding)
    both = has @ has.T
    either = has @ known.T + known @ has.T - both
    itself = torch.eye(len(has), dtype=torch.bool, device=has.device)
    alike = (both / either.clamp_min(1.0)).masked_fill(itself, 0.0)
    share = alike / alike.sum(1, keepdim=True).clamp_min(torch.finfo(has.dtype).tiny)
    e = unit_rows(embedding)
    cosine = (e @ e.T / temperature).masked_fill(itself, torch.finfo(e.dtype).min / 4)
    return (share * -cosine.log_softmax(1)).sum(1)


def pu_multilabel(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float = 0.55,
    spread: float | None = 1.0,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Return the variational loss of each label, from rows that are positive or unlabelled.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Log-odds of the label 1.
    target : Tensor of that shape
        1 for a positive; whatever else means unlabelled.
    gamma : float, default=0.55
        Power of the mean probability by which its logarithm is weighted.
    spread : float, default=1.0
        Standard deviations of the batch by which logits are divided, where that is less than
        1; None divides by 1.
    sample_weight : Tensor of shape (n,), default=None
        Non-negative weights.

    Returns
    -------
    Tensor of shape (n_labels,)
        Of either sign. The value says little, only its gradient counts.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import pu_multilabel
    >>> pu_multilabel(torch.zeros(2, 1), torch.tensor([[1], [0]]), gamma=0.0, spread=None)
    tensor([0.])
    """
    ones = torch.ones_like(logits[:, :1])
    v = ones if sample_weight is None else sample_weight.to(logits)[:, None]
    tiny = torch.finfo(logits.dtype).tiny
    v = v / v.sum().clamp_min(tiny)
    scaled = logits
    if spread is not None and len(logits) > 1:  # a single row has no spread
        z = logits.detach()
        std = (v * (z - (v * z).sum(0)) ** 2).sum(0).sqrt()
        scaled = logits / (spread * std).clamp(_NARROWEST, 1.0)
    log_q = logsigmoid(scaled)
    weighted = log_q + v.clamp_min(tiny).log()
    log_mean = masked_logsumexp(weighted.T, (v > 0).expand_as(log_q).T)
    log_mean = log_mean.where(v.sum() > 0, 0.0)
    mine = v * (target == 1)
    log_positive = (mine * log_q).sum(0) / mine.sum(0).clamp_min(tiny)
    return (gamma * log_mean.detach()).exp() * log_mean - log_positive


def decoupled_softmax(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy of a row's labels, each among the labels that are 0.

    Parameters
    ----------
    logits : Tensor of shape (n, n_labels)
        Scores.
    target : Tensor of that shape
        Labels 0 and 1; -1 or NaN where unknown.

    Returns
    -------
    Tensor of shape (n,)
        At least 0; 0 for a row without any label.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import decoupled_softmax
    >>> z, y = torch.tensor([[5.0, 5.0, 0.0, 0.0]]), torch.tensor([[1, 1, 0, 0]])
    >>> decoupled_softmax(z, y)
    tensor([0.0134])
    """
    positive = target == 1
    rivals = masked_logsumexp(logits, target == 0)
    items = softplus(rivals[:, None] - logits).where(positive, 0.0)
    return items.sum(1) / positive.sum(1).clamp_min(1)


def _known(target: Tensor) -> Tensor:
    """Mark the labels that are neither NaN nor negative."""
    return target >= 0
