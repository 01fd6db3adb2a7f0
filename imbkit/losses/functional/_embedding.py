"""Cosines with margins, and losses of pairs of rows by the cosines of their embeddings."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of, log_probability, unit_rows

__all__ = [
    "cosine_margin",
    "cosines",
    "multi_similarity",
    "multi_similarity_weights",
    "orthogonal_projection",
    "sface",
    "unpg",
]

Margin: TypeAlias = Literal["none", "cosface", "arcface"]

_EDGE = 1.0 - 1e-7  # the arc cosine has no slope at 1


def cosines(embedding: Tensor, weight: Tensor) -> Tensor:
    """Return the cosine of each row with each direction.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        Rows; one of zeros has cosines of 0.
    weight : Tensor of shape (n_classes, n_features)
        Directions, of any length.

    Returns
    -------
    Tensor of shape (n, n_classes)
        Numbers from -1 to 1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import cosines
    >>> cosines(torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return unit_rows(embedding) @ unit_rows(weight).T


def cosine_margin(
    cosine: Tensor, target: Tensor, *, margin: float = 0.35, kind: Margin = "cosface"
) -> Tensor:
    """Return cosines, that with the own class made smaller.

    Parameters
    ----------
    cosine : Tensor of shape (n, n_classes) or (n,)
        Cosines of the rows with the classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    margin : float, default=0.35
        By how much: 0 or more, for an angle at most pi.
    kind : {"none", "cosface", "arcface"}, default="cosface"
        Taken off the cosine, or added to the angle. Where the angle would be more than pi, the
        cosine goes on falling as -2 - cos(angle), so that there is no way back.

    Returns
    -------
    Tensor of shape (n, n_classes)
        All other cosines as they were.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import cosine_margin
    >>> cosine_margin(torch.tensor([[1.0, 0.0]]), torch.tensor([0]), margin=0.25)
    tensor([[0.7500, 0.0000]])
    """
    c = columns_of(cosine)
    if kind == "none" or margin == 0:
        return c
    own = c.gather(1, target[:, None])
    if kind == "cosface":
        return c.scatter(1, target[:, None], own - margin)
    angle = own.clamp(-_EDGE, _EDGE).acos() + margin
    moved = torch.where(angle <= math.pi, angle.cos(), -2.0 - angle.cos())
    return c.scatter(1, target[:, None], moved)


def sface(
    cosine: Tensor,
    target: Tensor,
    *,
    scale: float = 64.0,
    slope: float = 80.0,
    intra: float = 0.80,
    inter: float = 1.23,
) -> Tensor:
    """Return the sigmoid-constrained loss of each row on the sphere.

    Parameters
    ----------
    cosine : Tensor of shape (n, n_classes) or (n,)
        Cosines of the rows with the classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    scale : float, default=64.0
        What cosines are multiplied by.
    slope : float, default=80.0
        How suddenly a pull or push ends.
    intra : float, default=0.80
        Angle to the own class below which a row is pulled no further.
    inter : float, default=1.23
        Angle to another class above which a row is pushed no further.

    Returns
    -------
    Tensor of shape (n,)
        Of either sign; only its gradient has a meaning.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import sface
    >>> sface(torch.tensor([[0.0, 0.0]]), torch.tensor([0])).abs()
    tensor([0.])
    """
    c = columns_of(cosine)
    angle = c.detach().clamp(-_EDGE, _EDGE).acos()
    pull, push = torch.sigmoid(slope * (angle - intra)), torch.sigmoid(-slope * (angle - inter))
    own = torch.zeros_like(c, dtype=torch.bool).scatter_(1, target[:, None], True)
    return scale * (torch.where(own, -pull, push) * c).sum(dim=1)


def orthogonal_projection(
    embedding: Tensor,
    target: Tensor,
    *,
    gamma: float = 0.5,
    absolute: bool = True,
    weight: Tensor | None = None,
) -> Tensor:
    """Return how far rows of one class are from parallel, and of two from orthogonal.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        Rows, of any length.
    target : Tensor of int64, shape (n,)
        Class of each row.
    gamma : float, default=0.5
        What the second part is multiplied by.
    absolute : bool, default=True
        Whether the size of the mean cosine between classes counts, or the mean itself.
    weight : Tensor of shape (n,), default=None
        Of rows; that of a pair is their product.

    Returns
    -------
    Tensor of shape ()
        A part without pairs is 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import orthogonal_projection
    >>> orthogonal_projection(torch.eye(2)[[0, 0, 1]], torch.tensor([0, 0, 1]))
    tensor(0.)
    """
    f = unit_rows(embedding)
    similar = f @ f.T
    v = torch.ones_like(f[:, 0]) if weight is None else weight.to(f)
    same, other = (kind * (v[:, None] * v) for kind in _pairs(target))
    tiny = torch.finfo(f.dtype).tiny
    apart = (same * (1 - similar)).sum() / same.sum().clamp_min(tiny)
    between = (other * similar).sum() / other.sum().clamp_min(tiny)
    return apart + gamma * (between.abs() if absolute else between)


def unpg(
    cosine: Tensor,
    embedding: Tensor,
    target: Tensor,
    *,
    scale: float = 30.0,
    margin: float = 0.35,
    kind: Margin = "cosface",
    whisker: float = 1.5,
    kept: Tensor | None = None,
) -> Tensor:
    """Return the cross-entropy of cosines, with pairs of rows as further wrong answers.

    Parameters
    ----------
    cosine : Tensor of shape (n, n_classes) or (n,)
        Cosines of the rows with the classes.
    embedding : Tensor of shape (n, n_features)
        The rows; the cosines of all pairs of different classes are the further answers.
    target : Tensor of int64, shape (n,)
        Class of each row.
    scale : float, default=30.0
        What cosines are multiplied by.
    margin : float, default=0.35
        See :func:`cosine_margin`.
    kind : {"none", "cosface", "arcface"}, default="cosface"
        See :func:`cosine_margin`.
    whisker : float, default=1.5
        Pairs whose cosine is further than this many interquartile ranges from the quartiles are
        left out.
    kept : Tensor of bool, shape (n,), default=None
        Rows that pairs are made of; None for all.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import unpg
    >>> y = torch.tensor([0, 1])
    >>> unpg(torch.zeros(2, 2), torch.eye(2), y, margin=0.0).exp()
    tensor([3., 3.])
    """
    z = scale * cosine_margin(cosine, target, margin=margin, kind=kind)
    f = unit_rows(embedding)
    other = _pairs(target)[1].triu()
    if kept is not None:
        other = other & kept[:, None] & kept
    extra = (f @ f.T)[other]
    if extra.numel() == 0:
        return -log_probability(z, target)
    inside = _within_whiskers(extra.detach(), whisker)
    pairs = (scale * extra).masked_fill(~inside, torch.finfo(z.dtype).min / 4).logsumexp(0)
    return torch.logaddexp(z.logsumexp(1), pairs.to(z)) - z.gather(1, target[:, None])[:, 0]


def multi_similarity(
    embedding: Tensor,
    target: Tensor,
    *,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float | None = 0.1,
    kept: Tensor | None = None,
) -> Tensor:
    """Return the multi-similarity loss of each row as an anchor.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        Rows, of any length.
    target : Tensor of int64, shape (n,)
        Class of each row.
    alpha, beta : float, default=2.0 and 50.0
        How much the hardest pairs of one class, and of two, count above the others.
    base : float, default=0.5
        The cosine that pairs of one class should be above, and pairs of two below.
    epsilon : float, default=0.1
        Pairs of two classes count if their cosine is above the least one of the same class less
        this much, and pairs of one class likewise; None keeps all pairs.
    kept : Tensor of bool, shape (n,), default=None
        Rows that pairs are made of; None for all.

    Returns
    -------
    Tensor of shape (n,)
        At least 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import multi_similarity
    >>> multi_similarity(torch.eye(2)[[0, 0, 1, 1]], torch.tensor([0, 0, 1, 1]))
    tensor([0., 0., 0., 0.])
    """
    near, far, same, other = _mined(embedding, target, alpha, beta, base, epsilon, kept)
    return _one_more(near, same) / alpha + _one_more(far, other) / beta


def multi_similarity_weights(
    embedding: Tensor,
    target: Tensor,
    *,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float | None = 0.1,
) -> Tensor:
    """Return how much the multi-similarity loss of each anchor weighs each pair.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        Rows, of any length.
    target : Tensor of int64, shape (n,)
        Class of each row.
    alpha, beta : float, default=2.0 and 50.0
        As of :func:`multi_similarity`.
    base : float, default=0.5
        Likewise.
    epsilon : float, default=0.1
        Likewise.

    Returns
    -------
    Tensor of shape (n, n)
        The size of the derivative of each anchor's loss by its cosines; without a gradient. It
        lies between 0 and 1, and is 0 for pairs left out.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import multi_similarity_weights
    >>> e = torch.tensor([[1.0, 0.0], [0.5, 0.75**0.5]])
    >>> multi_similarity_weights(e, torch.tensor([0, 0]), epsilon=None)
    tensor([[0.0000, 0.5000],
            [0.5000, 0.0000]])
    """
    e = embedding.detach()
    near, far, same, other = _mined(e, target, alpha, beta, base, epsilon, None)
    of_near = torch.exp(near - _one_more(near, same)[:, None])
    of_far = torch.exp(far - _one_more(far, other)[:, None])
    return torch.where(same, of_near, torch.where(other, of_far, torch.zeros_like(far)))


def _pairs(target: Tensor) -> tuple[Tensor, Tensor]:
    """Mark the pairs of different rows of one class, and those of two."""
    same = target[:, None] == target
    return same & ~torch.eye(len(target), dtype=torch.bool, device=target.device), ~same


def _within_whiskers(values: Tensor, whisker: float) -> Tensor:
    """Mark the values that a box plot would not draw as points of their own."""
    # Not torch.quantile, which refuses more than 16 million numbers.
    ordered = values.sort().values
    ends = []
    for share in (0.25, 0.75):
        place = share * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        ends.append(low + (place - math.floor(place)) * (high - low))
    reach = whisker * (ends[1] - ends[0])
    return (values >= ends[0] - reach) & (values <= ends[1] + reach)


def _mined(
    embedding: Tensor,
    target: Tensor,
    alpha: float,
    beta: float,
    base: float,
    epsilon: float | None,
    kept: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the exponents of pairs of one class and of two, and which of them count."""
    f = unit_rows(embedding)
    similar = f @ f.T
    same, other = _pairs(target)
    if kept is not None:
        both = kept[:, None] & kept
        same, other = same & both, other & both
    if epsilon is not None:
        s, most = similar.detach(), torch.finfo(f.dtype).max / 4
        # A row with pairs of one kind only keeps none.
        least_same = s.masked_fill(~same, most).amin(dim=1, keepdim=True)
        most_other = s.masked_fill(~other, -most).amax(dim=1, keepdim=True)
        same, other = same & (s < most_other + epsilon), other & (s > least_same - epsilon)
    return -alpha * (similar - base), beta * (similar - base), same, other


def _one_more(exponents: Tensor, kept: Tensor) -> Tensor:
    """Return log(1 + the sum of the exponentials kept) of each row."""
    left = exponents.masked_fill(~kept, torch.finfo(exponents.dtype).min / 4)
    return torch.cat([torch.zeros_like(left[:, :1]), left], dim=1).logsumexp(1)
