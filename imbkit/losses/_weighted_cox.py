"""Cox's partial likelihood with weights of events."""

from typing import ClassVar

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError
from imbkit.losses._base import BaseLoss, Link
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import Task
from imbkit.losses.functional import cox

__all__ = ["WeightedCoxLoss"]


class WeightedCoxLoss(BaseLoss):
    """Minus the logarithm of Cox's partial likelihood, rows with an event weighted up.

    Choose it for times until a rare event where many rows are lost sight of before it: the net
    gives a log hazard for each row, larger for those expected sooner. Weights of events make
    rows with an event matter more among those at risk; with 1 it is Cox's own likelihood. It
    orders rows and gives no probabilities.

    Parameters
    ----------
    event_weight : float, default=5.0
        Weight of a row with an event beside 1 for any other, above 0.

    See Also
    --------
    imbkit.nets.ImbalancedNetClassifier : For events within a fixed time.

    Notes
    -----
    The sum over events of w_i (log sum over rows at risk of w_j exp(f_j) - f_i), divided by that
    of w_i over events, for log hazards f and w = sample weight times event weight. Ties are
    Breslow's: rows of the same time are at risk together. A number added to all f changes
    nothing; a batch without events has the loss 0. The target is not looked at. Only rows of one
    batch are compared: take batches of at least 32 rows with some events in each.
    Different from programs in circulation: rows are in the order of their times, and
    weights enter the sets at risk, without which the weight of events would cancel.

    References
    ----------
    D. R. Cox, "Regression models and life-tables", Journal of the Royal Statistical Society B,
    1972, doi:10.1111/j.2517-6161.1972.tb00899.x.

    J. L. Katzman, U. Shaham, A. Cloninger, J. Bates, T. Jiang, Y. Kluger, "DeepSurv: Personalized
    treatment recommender system using a Cox proportional hazards deep neural network", BMC
    Medical Research Methodology, 2018, doi:10.1186/s12874-018-0482-1.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import WeightedCoxLoss
    >>> time, event = torch.tensor([2.0, 1.0]), torch.tensor([0, 1])
    >>> WeightedCoxLoss(event_weight=3.0)(torch.zeros(2), event, time=time, event=event).exp()
    tensor(4.)
    """

    card = Card(
        paper="Cox (1972), doi:10.1111/j.2517-6161.1972.tb00899.x",
        cases=({}, {"event_weight": 1.0}),
    )
    names = ("weighted_cox", "cox")
    tasks: ClassVar[frozenset[Task]] = frozenset({"survival"})
    level = "batch"
    needs = frozenset({"time"})
    link: Link = "score"

    def __init__(self, event_weight: float = 5.0) -> None:
        super().__init__()
        who = "WeightedCoxLoss"
        self.event_weight = check_number(event_weight, who, "event_weight", low=0.0, open_low=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch; its logits are log hazards.

        Returns
        -------
        Tensor of shape ()
            The weighted mean over events; 0 without any.
        """
        f = batch.logits
        time: Tensor = batch.time  # type: ignore[assignment]
        seen: Tensor = batch.event  # type: ignore[assignment]
        if f.ndim == 2 and f.shape[1] != 1:
            rule = "logits must be one log hazard for each row"
            raise DataError(message("WeightedCoxLoss", rule, f"shape {tuple(f.shape)}"))
        f = f.reshape(-1)
        event = seen > 0
        w = torch.where(event, self.event_weight, 1.0).to(f)
        if batch.sample_weight is not None:
            w = w * batch.sample_weight.to(f)
        mass = (w * event).sum().clamp_min(torch.finfo(f.dtype).tiny)
        return (w * cox(f, time, event, weight=w)).sum() / mass
