"""Order of positive and negative rows: pairs of scores, and what can be said without pairs."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.utils.checkpoint import checkpoint

__all__ = [
    "auc_margin",
    "auc_margin_saddle",
    "mann_whitney",
    "mann_whitney_classes",
    "smooth_average_precision",
    "squared_hinge_means",
]

_PAIRS = 4_000_000  # most pairs that are held at once


def mann_whitney(
    positives: Tensor,
    negatives: Tensor,
    weight_positives: Tensor | None = None,
    weight_negatives: Tensor | None = None,
    *,
    temperature: float = 1.0,
) -> Tensor:
    """Return the mean logistic loss of all pairs of a positive and a negative score.

    Parameters
    ----------
    positives : Tensor of shape (n_positives,)
        Scores of the positive rows, at least one.
    negatives : Tensor of shape (n_negatives,)
        Scores of the negative rows, at least one.
    weight_positives, weight_negatives : Tensor, default=None
        Weights of rows, above 0; a pair has the product.
    temperature : float, default=1.0
        What differences are divided by, above 0.

    Returns
    -------
    Tensor of shape ()
        At least log(2) times one less the area under the ROC curve.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import mann_whitney
    >>> mann_whitney(torch.zeros(2), torch.zeros(3)).exp()
    tensor(2.)
    """
    share_p = _shares(positives, weight_positives)
    share_n = _shares(negatives, weight_negatives)

    def part(rows: slice) -> Tensor:
        pairs = (negatives[None] - positives[rows, None]) / temperature
        return (share_p[rows] @ softplus(pairs)) @ share_n

    return torch.stack(_in_blocks(part, len(positives), len(negatives))).sum()


def mann_whitney_classes(
    logits: Tensor, target: Tensor, weight: Tensor | None = None, *, temperature: float = 1.0
) -> Tensor:
    """Return the mean logistic loss of pairs of rows of two classes, over pairs of classes.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores; of two classes the difference of their logits ranks the rows.
    target : Tensor of int64, shape (n,)
        Class of each row.
    weight : Tensor of shape (n,), default=None
        Weights of rows.
    temperature : float, default=1.0
        What differences are divided by, above 0.

    Returns
    -------
    Tensor of shape ()
        Every pair of classes in the batch counts the same; 0 if there are fewer than two.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import mann_whitney_classes
    >>> mann_whitney_classes(torch.zeros(3, 3), torch.tensor([0, 1, 2])).exp()
    tensor(2.)
    """
    v = torch.ones_like(logits[:, 0]) if weight is None else weight.to(logits)
    mass = torch.zeros_like(logits[0]).index_add(0, target, v)
    share = v / mass.clamp_min(torch.finfo(v.dtype).tiny)[target]
    own = logits.gather(1, target[:, None])[:, 0]
    present = (mass > 0).sum()

    def part(rows: slice) -> Tensor:
        # The lead of row a's class over row b's: in row a, less that in row b.
        foreign = logits[rows][:, target] + logits[:, target[rows]].T
        losses = softplus((foreign - own[rows, None] - own[None]) / temperature)
        differ = target[rows, None] != target[None]
        return share[rows] @ (losses * differ) @ share

    total = torch.stack(_in_blocks(part, len(logits), len(logits))).sum()
    return total / (present * (present - 1)).clamp_min(1)


def auc_margin(
    scores: Tensor, labels: Tensor, weight: Tensor | None = None, *, margin: float = 1.0
) -> Tensor:
    """Return the AUC margin loss of each column, its inner problem solved for the batch.

    Parameters
    ----------
    scores : Tensor of shape (n, n_columns)
        Scores from 0 to 1.
    labels : Tensor of that shape
        Labels 0 and 1.
    weight : Tensor of that shape, default=None
        Weights of entries.
    margin : float, default=1.0
        By how much the mean positive should lead.

    Returns
    -------
    Tensor of shape (n_columns,)
        At least 0; 0 for a column without both labels.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import auc_margin
    >>> auc_margin(torch.tensor([[0.9], [0.1]]), torch.tensor([[1.0], [0.0]]))
    tensor([0.0400])
    """
    positive, negative, both = _sides(labels, weight)
    mean_p, mean_n = (scores * positive).sum(0), (scores * negative).sum(0)
    spread = ((scores - mean_p) ** 2 * positive).sum(0) + ((scores - mean_n) ** 2 * negative).sum(0)
    lag = (margin + mean_n - mean_p).clamp_min(0)
    return (spread + lag**2).where(both, 0)


def auc_margin_saddle(
    scores: Tensor,
    labels: Tensor,
    a: Tensor,
    b: Tensor,
    alpha: Tensor,
    weight: Tensor | None = None,
    *,
    margin: float = 1.0,
) -> Tensor:
    """Return the AUC margin loss of each column at given variables of its inner problem.

    Parameters
    ----------
    scores : Tensor of shape (n, n_columns)
        Scores from 0 to 1.
    labels : Tensor of that shape
        Labels 0 and 1.
    a, b : Tensor of shape (n_columns,)
        What stands for the mean scores of positives and of negatives; to be minimised over.
    alpha : Tensor of shape (n_columns,)
        The dual variable, 0 or more; to be maximised over.
    weight : Tensor of shape (n, n_columns), default=None
        Weights of entries.
    margin : float, default=1.0
        By how much the mean positive should lead.

    Returns
    -------
    Tensor of shape (n_columns,)
        0 for a column without both labels.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import auc_margin_saddle
    >>> h, y = torch.tensor([[0.9], [0.1]]), torch.tensor([[1.0], [0.0]])
    >>> auc_margin_saddle(h, y, *torch.tensor([[0.9], [0.1], [0.2]]))
    tensor([0.0400])
    """
    positive, negative, both = _sides(labels, weight)
    spread = ((scores - a) ** 2 * positive).sum(0) + ((scores - b) ** 2 * negative).sum(0)
    lag = margin + (scores * negative).sum(0) - (scores * positive).sum(0)
    return (spread + 2 * alpha * lag - alpha**2).where(both, 0)


def squared_hinge_means(
    scores: Tensor, positive: Tensor, weight: Tensor | None = None, *, margin: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return how far rows come near or above each positive row: all rows, and positive ones.

    Parameters
    ----------
    scores : Tensor of shape (n,)
        Scores from 0 to 1.
    positive : Tensor of bool, shape (n,)
        Which rows are positive.
    weight : Tensor of shape (n,), default=None
        Weights of rows, above 0 for one at least.
    margin : float, default=1.0
        From how far below a row counts.

    Returns
    -------
    of_all : Tensor of shape (n_positives,)
        Means over all rows of the squared hinge of a row's score over the positive row's: a
        smooth rank, over n.
    of_positives : Tensor of shape (n_positives,)
        The part of the mean that is owed to positive rows: a smooth rank among positives.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import squared_hinge_means
    >>> squared_hinge_means(torch.tensor([0.9, 0.1]), torch.tensor([True, False]))
    (tensor([0.5200]), tensor([0.5000]))
    """
    share = _shares(scores, weight)
    above = scores[positive]
    columns = torch.stack([share, share * positive], dim=1)

    def part(rows: slice) -> Tensor:
        return (margin + scores[None] - above[rows, None]).clamp_min(0) ** 2 @ columns

    means = torch.cat(_in_blocks(part, len(above), len(scores)))
    return means[:, 0], means[:, 1]


def smooth_average_precision(
    scores: Tensor, positive: Tensor, weight: Tensor | None = None, *, margin: float = 1.0
) -> Tensor:
    """Return the average precision with ranks made smooth by a squared hinge.

    Parameters
    ----------
    scores : Tensor of shape (n,)
        Scores from 0 to 1.
    positive : Tensor of bool, shape (n,)
        Which rows are positive, at least one.
    weight : Tensor of shape (n,), default=None
        Weights of rows, above 0 for a positive one at least.
    margin : float, default=1.0
        From how far below a row counts towards a rank, above 0.

    Returns
    -------
    Tensor of shape ()
        Above 0, at most 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import smooth_average_precision
    >>> smooth_average_precision(torch.tensor([0.5, 0.5]), torch.tensor([True, False]))
    tensor(0.5000)
    """
    of_all, of_positives = squared_hinge_means(scores, positive, weight, margin=margin)
    share = _shares(of_all, None if weight is None else weight[positive])
    return (share * of_positives / of_all.clamp_min(torch.finfo(of_all.dtype).tiny)).sum()


def _shares(like: Tensor, weight: Tensor | None) -> Tensor:
    """Return weights that sum to one."""
    v = torch.ones_like(like) if weight is None else weight.to(like)
    return v / v.sum().clamp_min(torch.finfo(v.dtype).tiny)


def _sides(labels: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return shares of positives and negatives, and which columns have both."""
    v = torch.ones_like(labels) if weight is None else weight
    positive, negative = v * labels, v * (1 - labels)
    mass_p, mass_n = positive.sum(0), negative.sum(0)
    tiny = torch.finfo(v.dtype).tiny
    both = (mass_p > 0) & (mass_n > 0)
    return positive / mass_p.clamp_min(tiny), negative / mass_n.clamp_min(tiny), both


def _in_blocks(part: Callable[[slice], Tensor], n_rows: int, width: int) -> list[Tensor]:
    """Return what a function gives for blocks of rows, so that few pairs are held at once."""
    step = max(1, _PAIRS // max(width, 1))
    if n_rows <= step:
        return [part(slice(0, n_rows))]
    # Blocks are made again for the gradient: kept, they would be as large as all pairs.
    blocks = (slice(start, start + step) for start in range(0, n_rows, step))
    return [
        checkpoint(part, rows, use_reentrant=False, preserve_rng_state=False) for rows in blocks
    ]
