"""Z-loss: how far a row's own class stands out from the others, whatever the scale."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import z_loss

__all__ = ["ZLoss"]


class ZLoss(BaseLoss):
    """A loss of the z-score of the own class's logit among the logits of its row.

    Choose it for many classes, where the right one among the first few is what counts: it does
    not reward growing logits. It knows nothing of the classes' frequencies, and it serves three
    classes or more: of two the z-scores are always 1 and -1, and there is nothing to learn. The
    scale of its logits means nothing, so that their softmax is no probability: calibrate them.

    Parameters
    ----------
    a : float, default=1.0
        Steepness, above 0; worth tuning between 0.1 and 10.
    b : float, default=1.0
        Standard deviations by which the own class should stand out; more than
        ``sqrt(n_classes - 1)`` cannot be reached.

    See Also
    --------
    SoftTopKLoss : For the first few labels of several a row.

    Notes
    -----
    log(1 + exp(a (b - zeta_y))) / a with zeta = (z - mean(z)) / std(z) over the classes, the
    standard deviation being that with the divisor n_classes, and at least 1e-6. It is the same
    for c z + d, c > 0: weight decay does not bound what changes nothing. For probabilities of a
    kind take ``softmax(a * functional.z_scores(z))``, which is not calibrated.

    Different from the paper: the defaults of `a` and `b`.

    References
    ----------
    A. de Brébisson, P. Vincent, "The Z-loss: a shift and scale invariant classification loss
    belonging to the spherical family", 2016, doi:10.48550/arXiv.1604.08859.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ZLoss
    >>> z, y = torch.tensor([[0.0, 2.0, 2.0, 5.0]]), torch.tensor([3])
    >>> ZLoss()(z, y), ZLoss()(1000 * z, y)
    (tensor(0.4590), tensor(0.4590))
    """

    card = Card(
        paper="de Brébisson and Vincent (2016), doi:10.48550/arXiv.1604.08859",
        cases=({}, {"a": 3.0, "b": 0.5}),
    )
    names = ("z_loss",)
    tasks = frozenset({"multiclass"})

    def __init__(self, a: float = 1.0, b: float = 1.0) -> None:
        super().__init__()
        self.a = check_number(a, "ZLoss", "a", low=0.0, open_low=True)
        self.b = check_number(b, "ZLoss", "b")

    def setup(self, stats: ClassStats) -> None:
        """Make sure that there are three classes.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.

        Raises
        ------
        InvalidParameterError
            If there are fewer.
        """
        _check_classes(stats.n_classes)
        super().setup(stats)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            Above 0.

        Raises
        ------
        InvalidParameterError
            If there are fewer than three classes.
        """
        z = batch.logits
        _check_classes(z.shape[1] if z.ndim == 2 else 2)
        return z_loss(z, batch.target, a=self.a, b=self.b)


def _check_classes(n_classes: int) -> None:
    """Refuse two classes, which leave nothing to learn."""
    if n_classes < 3:
        rule = "there must be three classes or more, as z-scores of two are always 1 and -1"
        todo = "Use CrossEntropyLoss or another loss"
        raise InvalidParameterError(message("ZLoss", rule, f"{n_classes} classes", todo))
