"""The partial likelihood of hazards."""

import torch
from torch import Tensor

__all__ = ["cox"]


def cox(log_hazard: Tensor, time: Tensor, event: Tensor, *, weight: Tensor | None = None) -> Tensor:
    """Return what each event adds to minus the logarithm of Cox's partial likelihood.

    Parameters
    ----------
    log_hazard : Tensor of shape (n,)
        Larger where the event is expected sooner.
    time : Tensor of shape (n,)
        When the event was seen, or the row was last seen without it.
    event : Tensor of shape (n,)
        1 where it was seen, 0 where not.
    weight : Tensor of shape (n,), default=None
        What each row counts for among those at risk; 0 leaves it out.

    Returns
    -------
    Tensor of shape (n,)
        The log of the sum over rows with at least that time of weight times hazard, less the
        log hazard; 0 for a row without event. Not multiplied by the weight of the row itself.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import cox
    >>> cox(torch.zeros(3), torch.tensor([2.0, 1.0, 3.0]), torch.tensor([1, 1, 0])).exp()
    tensor([2., 3., 1.])
    """
    at_risk = log_hazard
    if weight is not None:
        w = weight.to(log_hazard)
        gone = torch.finfo(log_hazard.dtype).min / 4
        at_risk = (at_risk + w.where(w > 0, 1.0).log()).masked_fill(w <= 0, gone)
    ordered, order = (-time).sort(stable=True)
    sums = at_risk[order].logcumsumexp(0)
    # Rows of the same time are at risk together: the sum up to the last of them.
    last = torch.searchsorted(ordered, -time, right=True) - 1
    return (sums[last] - log_hazard).where(event > 0, 0.0)
