"""Overlap of predictions and labels: soft counts, Dice, Tversky and scores of counts."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses.functional._stable import log_complement

__all__ = ["dice", "label_columns", "soft_counts", "soft_score", "tversky"]

SoftMetric: TypeAlias = Literal["accuracy", "f_beta", "gmean", "balanced_accuracy", "mcc"]

_UNDER_ROOT = 1e-7  # the root has no finite slope at 0


def label_columns(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return any classification as columns of labels 0 and 1, with log-probabilities.

    Parameters
    ----------
    logits : Tensor of shape (n,), (n, n_classes) or (n, n_labels)
        Scores; one a row, or two columns, make a single column: that of the second class.
    target : Tensor of shape (n,) or (n, n_labels)
        Class positions; or labels 0 and 1, where -1 and NaN are unknown.

    Returns
    -------
    log_p, log_rest : Tensor of shape (n, n_columns)
        Logarithms of the probability of the label 1 and of the label 0.
    labels : Tensor of that shape
        0 and 1, as numbers of the logits' type; 0 where unknown.
    known : Tensor of bool, of that shape
        False for unknown labels.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import label_columns
    >>> log_p, _, labels, _ = label_columns(torch.zeros(1, 4), torch.tensor([2]))
    >>> log_p.exp(), labels
    (tensor([[0.2500, 0.2500, 0.2500, 0.2500]]), tensor([[0., 0., 1., 0.]]))
    """
    if target.ndim == 1 and logits.ndim == 2 and logits.shape[1] > 2:
        own = torch.nn.functional.one_hot(target, logits.shape[1]).to(logits)
        log_p = logits.log_softmax(1)
        return log_p, _log_rest(logits, log_p), own, torch.ones_like(own, dtype=torch.bool)
    scores, labels, known = score_columns(logits, target)
    return logsigmoid(scores), logsigmoid(-scores), labels, known


def score_columns(
    logits: Tensor, target: Tensor, who: str = "score_columns"
) -> tuple[Tensor, Tensor, Tensor]:
    """Return log-odds, labels of 0 and 1 and which are known, of two classes or of labels."""
    if target.ndim == 2:
        known = target >= 0  # not of NaN either
        return logits, target.where(known, 0).to(logits), known
    scores = logits[:, None] if logits.ndim == 1 else logits
    if scores.shape[1] > 2:
        rule = "serves two classes, or several labels a row"
        todo = "Take the classes one by one: OneVsRest(loss)"
        raise InvalidParameterError(message(who, rule, f"{scores.shape[1]} classes", todo))
    if scores.shape[1] == 2:
        scores = scores[:, 1:] - scores[:, :1]
    labels = target[:, None].to(logits)
    return scores, labels, torch.ones_like(labels, dtype=torch.bool)


def weight_columns(known: Tensor, like: Tensor, sample_weight: Tensor | None) -> Tensor:
    """Return the weights of labels: those of the rows, 0 where a label is not known."""
    weight = known.to(like)
    return weight if sample_weight is None else weight * sample_weight.to(like)[:, None]


def mean_over(values: Tensor, kept: Tensor) -> Tensor:
    """Return the mean of the columns kept, along the last dimension; 0 if there are none."""
    kept = kept.to(values)
    return (values * kept).sum(-1) / kept.sum().clamp_min(1)


def filled(labels: Tensor, weight: Tensor) -> Tensor:
    """Mark the columns that have a label 1, or all that have any if none has."""
    present = (labels * weight).sum(0) > 0
    return present.where(present.any(), weight.sum(0) > 0)


def dice(
    log_p: Tensor,
    log_rest: Tensor,
    labels: Tensor,
    weight: Tensor | None = None,
    *,
    strength: float = 0.0,
    smooth: float = 1.0,
    squared: bool = False,
    summed: bool = False,
) -> Tensor:
    """Return one less the Dice coefficient of each entry, or of each column as a whole.

    Parameters
    ----------
    log_p, log_rest : Tensor of shape (n, n_columns)
        Logarithms of the probability of the label 1 and of the label 0.
    labels : Tensor of that shape
        Labels 0 and 1.
    weight : Tensor of that shape, default=None
        Weights of entries in the sums.
    strength : float, default=0.0
        Power of the probability of the label 0 that that of the label 1 is multiplied by.
    smooth : float, default=1.0
        What is added above and below the line, 0 or more.
    squared : bool, default=False
        Whether squares are added below the line.
    summed : bool, default=False
        Whether each column is one set.

    Returns
    -------
    Tensor of shape (n, n_columns), or (n_columns,) if `summed`
        From 0 to 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import dice
    >>> half = torch.full((1, 1), 0.5).log()
    >>> dice(half, half, torch.ones(1, 1), smooth=0.0)
    tensor([[0.3333]])
    """
    q = torch.exp(log_p + strength * log_rest if strength else log_p)
    both, size = q * labels, (q * q if squared else q) + labels
    if weight is not None:
        both, size = both * weight, size * weight
    if summed:
        both, size = both.sum(0), size.sum(0)
    # Of nothing but zeros the overlap is none.
    return 1 - (2 * both + smooth) / (size + smooth).clamp_min(torch.finfo(size.dtype).tiny)


def tversky(
    log_p: Tensor,
    log_rest: Tensor,
    labels: Tensor,
    weight: Tensor | None = None,
    *,
    alpha_fp: float = 0.3,
    beta_fn: float = 0.7,
    gamma: float = 1.0,
    smooth: float = 0.0,
    summed: bool = False,
) -> Tensor:
    """Return a root of one less the Tversky index of each entry, or of each column as a whole.

    Parameters
    ----------
    log_p, log_rest : Tensor of shape (n, n_columns)
        Logarithms of the probability of the label 1 and of the label 0.
    labels : Tensor of that shape
        Labels 0 and 1.
    weight : Tensor of that shape, default=None
        Weights of entries in the sums.
    alpha_fp, beta_fn : float, default=0.3 and 0.7
        Weights of false positives and of false negatives, 0 or more, not both 0.
    gamma : float, default=1.0
        The root, above 0.
    smooth : float, default=0.0
        What is added above and below the line of the index, 0 or more.
    summed : bool, default=False
        Whether each column is one set.

    Returns
    -------
    Tensor of shape (n, n_columns), or (n_columns,) if `summed`
        From 0 to 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import tversky
    >>> half = torch.full((2, 1), 0.5).log()
    >>> tversky(half, half, torch.tensor([[1.0], [0.0]]), summed=True)
    tensor([0.5000])
    """
    # In logarithms throughout: the root of 0 has no finite slope, its logarithm has.
    nothing = torch.full_like(log_p, torch.finfo(log_p.dtype).min / 4)
    positive = labels > 0
    missed = log_rest + math.log(beta_fn) if beta_fn else nothing
    alarmed = log_p + math.log(alpha_fp) if alpha_fp else nothing
    log_wrong = missed.where(positive, alarmed)
    log_right = log_p.where(positive, nothing)
    if weight is not None:
        kept = weight > 0
        log_weight = weight.where(kept, 1).log()
        log_wrong = (log_wrong + log_weight).where(kept, nothing)
        log_right = (log_right + log_weight).where(kept, nothing)
    if summed:
        log_wrong, log_right = log_wrong.logsumexp(0), log_right.logsumexp(0)
    log_size = torch.logaddexp(log_wrong, log_right)
    if smooth:
        log_size = torch.logaddexp(log_size, torch.full_like(log_size, math.log(smooth)))
    return torch.exp((log_wrong - log_size) / gamma)


def soft_counts(
    scores: Tensor, labels: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the four counts of each column, where a prediction may be anything from 0 to 1.

    Parameters
    ----------
    scores : Tensor of shape (n, n_columns)
        Predictions from 0 to 1.
    labels : Tensor of that shape
        Labels 0 and 1.
    weight : Tensor of that shape, default=None
        Weights of entries.

    Returns
    -------
    tp : Tensor of shape (n_columns,)
        True positives.
    fp : Tensor of shape (n_columns,)
        False positives.
    fn : Tensor of shape (n_columns,)
        False negatives.
    tn : Tensor of shape (n_columns,)
        True negatives.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import soft_counts
    >>> soft_counts(torch.tensor([[0.9], [0.2]]), torch.tensor([[1.0], [0.0]]))
    (tensor([0.9000]), tensor([0.2000]), tensor([0.1000]), tensor([0.8000]))
    """
    v = torch.ones_like(scores) if weight is None else weight
    positive, negative = v * labels, v * (1 - labels)
    return (
        (scores * positive).sum(0),
        (scores * negative).sum(0),
        ((1 - scores) * positive).sum(0),
        ((1 - scores) * negative).sum(0),
    )


def soft_score(
    metric: SoftMetric, tp: Tensor, fp: Tensor, fn: Tensor, tn: Tensor, *, beta: float = 1.0
) -> Tensor:
    """Return a score of counts that need not be whole numbers.

    Parameters
    ----------
    metric : {"accuracy", "f_beta", "gmean", "balanced_accuracy", "mcc"}
        The score.
    tp, fp, fn, tn : Tensor of shape (n_columns,)
        True positives, false positives, false negatives and true negatives.
    beta : float, default=1.0
        How much recall counts for beside precision, for "f_beta".

    Returns
    -------
    Tensor of shape (n_columns,)
        At most 1; larger is better.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import soft_score
    >>> soft_score("f_beta", *torch.tensor([[3.0], [1.0], [1.0], [5.0]]))
    tensor([0.7500])
    """
    tiny = torch.finfo(tp.dtype).tiny
    if metric == "accuracy":
        return (tp + tn) / (tp + fp + fn + tn).clamp_min(tiny)
    if metric == "f_beta":
        recalled = (1 + beta**2) * tp
        return recalled / (beta**2 * (tp + fn) + tp + fp).clamp_min(tiny)
    if metric == "mcc":
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / (product + _UNDER_ROOT).sqrt()
    recall, specificity = tp / (tp + fn).clamp_min(tiny), tn / (tn + fp).clamp_min(tiny)
    if metric == "gmean":
        return (recall * specificity + _UNDER_ROOT).sqrt()
    return (recall + specificity) / 2


def _log_rest(logits: Tensor, log_p: Tensor) -> Tensor:
    """Return log(1 - p) of every class of a softmax."""
    top = logits.argmax(1)
    is_top = torch.nn.functional.one_hot(top, logits.shape[1]) > 0
    # At most one class has a probability above 1/2: only there would 1 - p be rounded away.
    others = torch.log1p(-torch.exp(log_p.masked_fill(is_top, -1.0)))
    return log_complement(logits, top)[:, None].where(is_top, others)
