"""Losses of bags of rows of which only a mean is known."""

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of

__all__ = ["bag_cross_entropy", "bag_means", "bag_squared_error"]


def bag_means(values: Tensor, group: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Return the mean of each bag.

    Parameters
    ----------
    values : Tensor of shape (n,) or (n, n_columns)
        Numbers.
    group : Tensor of shape (n,)
        Bag of each row.
    weight : Tensor of shape (n,), default=None
        Of rows.

    Returns
    -------
    Tensor of shape (n_bags,) or (n_bags, n_columns)
        In the order of the bags' sorted names; 0 for a bag of weight 0.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import bag_means
    >>> bag_means(torch.tensor([1.0, 2.0, 5.0]), torch.tensor([7, 7, 3]))
    tensor([5.0000, 1.5000])
    """
    return _means(values, *_bags(group), weight)


def bag_squared_error(
    prediction: Tensor,
    target: Tensor,
    group: Tensor,
    *,
    rho: float = 0.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the squared error of each bag's mean, and part of the spread within it.

    Parameters
    ----------
    prediction : Tensor of shape (n,)
        A number for each row.
    target : Tensor of shape (n,)
        The mean of the bag, at each of its rows.
    group : Tensor of shape (n,)
        Bag of each row.
    rho : float, default=0.0
        Share of the variance of the predictions within a bag that is added: with 1 it is the
        mean squared error of the rows.
    weight : Tensor of shape (n,), default=None
        Of rows within their bag.

    Returns
    -------
    Tensor of shape (n_bags,)
        At least 0, in the order of the bags' sorted names.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import bag_squared_error
    >>> f, y = torch.tensor([0.5, 1.5]), torch.tensor([2.0, 2.0])
    >>> bag_squared_error(f, y, torch.tensor([0, 0])), bag_squared_error(f, y, y, rho=1.0)
    (tensor([1.]), tensor([1.2500]))
    """
    bag, size = _bags(group)
    middle = _means(prediction, bag, size, weight)
    error = (_means(target.to(prediction), bag, size, weight) - middle) ** 2
    return error + rho * _means((prediction - middle[bag]) ** 2, bag, size, weight)


def bag_cross_entropy(
    logits: Tensor,
    target: Tensor,
    group: Tensor,
    *,
    rho: float = 0.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the cross-entropy of each bag's class shares with its mean probabilities.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores; one a row is the log-odds of the second of two classes.
    target : Tensor of shape (n, n_classes) or (n,)
        The class shares of the bag, at each of its rows; or the class positions (int64), of
        which the shares are taken; or, of two classes, the share of the second.
    group : Tensor of shape (n,)
        Bag of each row.
    rho : float, default=0.0
        How far to go from the cross-entropy of the mean probabilities to the mean of the rows'
        cross-entropies.
    weight : Tensor of shape (n,), default=None
        Of rows within their bag.

    Returns
    -------
    Tensor of shape (n_bags,)
        At least 0, in the order of the bags' sorted names.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import bag_cross_entropy
    >>> z = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    >>> bag_cross_entropy(z, torch.full((2, 2), 0.5), torch.tensor([0, 0]))
    tensor([0.6931])
    """
    log_p = columns_of(logits).log_softmax(1)
    bag, size = _bags(group)
    shares = _means(_shares(target, log_p), bag, size, weight)
    of_bag = -(shares * _log_mean_exp(log_p, bag, size, weight)).sum(dim=1)
    of_rows = -(shares * _means(log_p, bag, size, weight)).sum(dim=1)
    return (1 - rho) * of_bag + rho * of_rows


def _bags(group: Tensor) -> tuple[Tensor, int]:
    """Return the position of each row's bag, and the number of bags."""
    names, bag = group.unique(return_inverse=True)  # type: ignore[no-untyped-call]
    return bag, len(names)


def _means(values: Tensor, bag: Tensor, size: int, weight: Tensor | None) -> Tensor:
    """Return the weighted mean of each bag."""
    v = torch.ones_like(bag, dtype=values.dtype) if weight is None else weight.to(values)
    mass = v.new_zeros(size).index_add(0, bag, v).clamp_min(torch.finfo(v.dtype).tiny)
    wide = (slice(None),) + (None,) * (values.ndim - 1)
    sums = values.new_zeros(size, *values.shape[1:]).index_add(0, bag, v[wide] * values)
    return sums / mass[wide]


def _log_mean_exp(values: Tensor, bag: Tensor, size: int, weight: Tensor | None) -> Tensor:
    """Return the logarithm of the weighted mean of exponentials in each bag, by column."""
    v = torch.ones_like(values[:, 0]) if weight is None else weight.to(values)
    mass = v.new_zeros(size).index_add(0, bag, v)
    share = v / mass.where(mass > 0, 1.0)[bag]
    gone = torch.finfo(values.dtype).min / 4
    x = (values + share.where(share > 0, 1.0).log()[:, None]).masked_fill(
        (share <= 0)[:, None], gone
    )
    places = bag[:, None].expand_as(x)
    top = x.new_full((size, x.shape[1]), gone)
    top = top.scatter_reduce(0, places, x.detach(), "amax")
    return top + torch.zeros_like(top).index_add(0, bag, (x - top[bag]).exp()).log()


def _shares(target: Tensor, log_p: Tensor) -> Tensor:
    """Return a row of class shares for each row."""
    if target.ndim == 2:
        return target.to(log_p)
    if target.is_floating_point() and log_p.shape[1] == 2:
        return torch.stack([1 - target, target], dim=1).to(log_p)
    return torch.nn.functional.one_hot(target.to(torch.int64), log_p.shape[1]).to(log_p)
