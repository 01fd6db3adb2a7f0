"""Bags of rows of which only a mean response is known."""

from typing import ClassVar, Literal

from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError
from imbkit.losses._base import BaseLoss, reduced
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import Task
from imbkit.losses.functional import bag_cross_entropy, bag_means, bag_squared_error

__all__ = ["AggregateLoss"]


class AggregateLoss(BaseLoss):
    """Error of the mean of a bag, of its rows, or in between.

    Choose it where responses are known for groups of rows only: regions, households, batches of
    a machine. ``rho=0`` asks that the mean prediction be right and leaves rows free; ``rho=1``
    asks every row to be like its bag, which is steadier and biased towards the middle. Rows get
    predictions of their own in either case. Probabilities are those of rows only as far as bags
    differ enough to tell; a rare class needs bags rich in it.

    Parameters
    ----------
    rho : float, default=0.0
        From the loss of bags, 0, to that of rows, 1.
    kind : {"squared", "cross_entropy"}, default="squared"
        For numbers, or for classes, of which a bag's target is its class shares.

    Notes
    -----
    Squared: (y_b - mean f)^2 + rho times the variance of f within the bag, which for rho = 1 is
    the mean of (y_b - f_i)^2. Cross-entropy: 1 - rho times that of the shares y_b with the mean
    probabilities, plus rho times the mean of the rows'. Every row carries its bag's target (mean
    response, class shares, or of two classes the share of the second); where they differ
    within a bag, their mean counts. Bags count alike whatever their size; with sample weights,
    by the mean weight of their rows. Batches must hold bags as a whole.
    Different from the paper: the cross-entropy and the weights.

    References
    ----------
    A. Javanmard, L. Chen, V. Mirrokni, A. Badanidiyuru, G. Fu, "Learning from aggregate
    responses: Instance level versus bag level loss functions", ICLR, 2024,
    doi:10.48550/arXiv.2401.11081.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import AggregateLoss
    >>> f, y = torch.tensor([0.5, 1.5, 2.0, 3.0]), torch.tensor([1.0, 1.0, 3.0, 3.0])
    >>> AggregateLoss(rho=0.5)(f, y, group=torch.tensor([0, 0, 1, 1]))
    tensor(0.2500)
    """

    card = Card(
        paper="Javanmard et al. (2024), doi:10.48550/arXiv.2401.11081",
        cases=({}, {"rho": 1.0}, {"rho": 0.5, "kind": "cross_entropy"}),
    )
    names = ("aggregate",)
    tasks: ClassVar[frozenset[Task]] = frozenset({"aggregate"})
    level = "batch"
    needs = frozenset({"group"})

    def __init__(
        self, rho: float = 0.0, kind: Literal["squared", "cross_entropy"] = "squared"
    ) -> None:
        super().__init__()
        who = "AggregateLoss"
        self.rho = check_number(rho, who, "rho", low=0.0, high=1.0)
        self.kind = check_choice(kind, ("squared", "cross_entropy"), who, "kind")
        self.link = "score" if kind == "squared" else "softmax"

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the mean over bags.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        group: Tensor = batch.group  # type: ignore[assignment]
        z, y, v = batch.logits, batch.target, batch.sample_weight
        if self.kind == "squared":
            if z.numel() != len(z) or y.numel() != len(y):
                rule = "logits and target must be one number for each row"
                got = f"shapes {tuple(z.shape)} and {tuple(y.shape)}"
                todo = "For classes take kind='cross_entropy'"
                raise DataError(message("AggregateLoss", rule, got, todo))
            bags = bag_squared_error(z.reshape(-1), y.reshape(-1), group, rho=self.rho, weight=v)
        else:
            bags = bag_cross_entropy(z, y, group, rho=self.rho, weight=v)
        return reduced(bags, None if v is None else bag_means(v, group))
