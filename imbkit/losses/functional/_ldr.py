"""Label-distribution-robust losses: the worst mix of margin violations near the even one."""

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of

__all__ = ["RowScale", "adapted_temperature", "aldr_kl", "ldr_kl", "row_scaled"]

RowScale: TypeAlias = Literal["softplus_mean", "abs_mean"] | None

_LEAST = 1e-6  # mean size of a row of logits that it is divided by at least
_NEAR = 0.5  # exponents below it are summed by their differences from 1


def row_scaled(logits: Tensor, how: RowScale) -> Tensor:
    """Return logits whose rows are brought to one size.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes)
        Scores.
    how : {"softplus_mean", "abs_mean"} or None
        Divide softplus(z) by its mean in the row, or z by the mean of its size, at least 1e-6;
        None leaves them.

    Returns
    -------
    Tensor of shape (n, n_classes)
        Scores.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import row_scaled
    >>> row_scaled(torch.tensor([[4.0, -2.0, 0.0]]), "abs_mean")
    tensor([[ 2., -1.,  0.]])
    """
    if how == "abs_mean":
        return logits / logits.abs().mean(1, keepdim=True).clamp_min(_LEAST)
    if how == "softplus_mean":
        # Of logarithms: all of softplus(z) may round to 0. Far below 0 its logarithm is z.
        far = logits < -30
        size = torch.nn.functional.softplus(logits.masked_fill(far, 0)).log()
        return logits.shape[1] * torch.where(far, logits, size).softmax(1)
    return logits


def ldr_kl(logits: Tensor, target: Tensor, *, lam: float | Tensor = 1.0, c: float = 0.1) -> Tensor:
    """Return the softened largest margin violation of each row.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    lam : float or Tensor of shape (n,), default=1.0
        Temperature, above 0: small ones give the largest violation, large ones the mean.
    c : float, default=0.1
        Margin by which the own class should lead.

    Returns
    -------
    Tensor of shape (n,)
        The number lam log mean_k exp(d_k / lam), with d_k = z_k - z_y + c for the other classes
        and d_y = 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import ldr_kl
    >>> ldr_kl(torch.tensor([[3.0, 1.0]]), torch.tensor([1]), lam=0.001, c=0.0)
    tensor([1.9993])
    """
    d = _violations(logits, target, c)
    warmth = lam[:, None] if isinstance(lam, Tensor) else lam
    middle = d.mean(1)
    away = (d - middle[:, None]) / warmth
    # At large lam the logarithm is nearly 0, and times lam all its digits would be noise.
    near = away.detach().abs().amax(1) <= _NEAR
    small = torch.expm1(away.masked_fill(~near[:, None], 0)).mean(1).log1p()
    return middle + lam * torch.where(near, small, away.logsumexp(1) - math.log(d.shape[1]))


def adapted_temperature(
    logits: Tensor,
    target: Tensor,
    lam: Tensor,
    *,
    lam0: float = 1.0,
    alpha: float = 2.0,
    c: float = 0.1,
    steps: int = 1,
) -> Tensor:
    """Return temperatures a few steps nearer to those that maximise the adaptive loss.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    lam : Tensor of shape (n,)
        Temperatures to begin with, above 0.
    lam0 : float, default=1.0
        The largest temperature, above 0.
    alpha : float, default=2.0
        What leaving it costs, above 1.
    c : float, default=0.1
        Margin by which the own class should lead.
    steps : int, default=1
        Steps.

    Returns
    -------
    Tensor of shape (n,)
        From lam0 (1 - 1 / alpha) to lam0, without a gradient.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import adapted_temperature
    >>> adapted_temperature(torch.zeros(1, 3), torch.tensor([0]), torch.ones(1), c=0.0)
    tensor([1.])
    """
    d = _violations(logits, target, c).detach()
    most = math.log(d.shape[1])
    lam = lam.detach().to(d)
    for _ in range(steps):
        log_q = (d / lam[:, None]).log_softmax(1)
        divergence = ((log_q.exp() * log_q).sum(1) + most).clamp(0.0, most)
        lam = lam0 * (1 - divergence / (alpha * most))
    return lam


def aldr_kl(
    logits: Tensor,
    target: Tensor,
    lam: Tensor,
    *,
    lam0: float = 1.0,
    alpha: float = 2.0,
    c: float = 0.1,
) -> Tensor:
    """Return the softened largest margin violation of each row at a temperature of its own.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of int64, shape (n,)
        Class of each row.
    lam : Tensor of shape (n,)
        Temperatures; those of :func:`adapted_temperature` give the largest value.
    lam0 : float, default=1.0
        The largest temperature, above 0.
    alpha : float, default=2.0
        What leaving it costs, above 1.
    c : float, default=0.1
        Margin by which the own class should lead.

    Returns
    -------
    Tensor of shape (n,)
        That of :func:`ldr_kl`, less alpha log(n_classes) (lam - lam0)^2 / (2 lam0).

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import aldr_kl
    >>> aldr_kl(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([0.5]), c=0.0).exp()
    tensor([0.8409])
    """
    most = math.log(columns_of(logits).shape[1])
    cost = alpha * most / (2 * lam0) * (lam - lam0) ** 2
    return ldr_kl(logits, target, lam=lam, c=c) - cost


def _violations(logits: Tensor, target: Tensor, c: float) -> Tensor:
    """Return by how much each other class comes too near to the own one."""
    z = columns_of(logits)
    own = target[:, None]
    return (z - z.gather(1, own) + c).scatter(1, own, 0.0)
