"""Focal loss: rows that are predicted well already count less."""

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import binary_focal, focal

__all__ = ["FocalLoss"]


class FocalLoss(BaseLoss):
    """Cross-entropy times a power of the probability that is missing.

    Choose it for detectors that drown in easy rows of the frequent class. It looks at how hard
    a row is, not at how rare its class is: combine it with class weights (the preset
    "cb-focal"). Its probabilities are drawn towards the middle: calibrate them.

    Parameters
    ----------
    gamma : float, default=2.0
        The power, 0 or more; 0 is cross-entropy.
    alpha : float, default=None
        Weight of the label 1, and one less it that of 0, between 0 and 1; for two classes or
        several labels. None weighs them alike.

    See Also
    --------
    Reweighted : Class weights for this and other losses.

    Notes
    -----
    -a (1 - p)^gamma log p for the probability p of the own class, with the power taken of
    logarithms, so that value and gradient stay finite for any logits. Several labels a row are
    taken one by one.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection",
    ICCV, 2017, doi:10.1109/ICCV.2017.324.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import FocalLoss
    >>> z, y = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    >>> FocalLoss(gamma=2.0)(z, y, sample_weight=torch.tensor([1.0, 0.0]))
    tensor(0.0018)
    """

    card = Card(
        paper="Lin et al. (2017), doi:10.1109/ICCV.2017.324",
        cases=({}, {"gamma": 0.5, "alpha": 0.25}),
        limits=(Limit(when={"gamma": 0.0}, equals="CrossEntropyLoss"),),
    )
    names = ("focal",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def __init__(self, gamma: float = 2.0, alpha: float | None = None) -> None:
        super().__init__()
        self.gamma = check_number(gamma, "FocalLoss", "gamma", low=0.0)
        self.alpha = check_number(alpha, "FocalLoss", "alpha", low=0.0, high=1.0, none=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        z, y = batch.logits, batch.target
        if y.ndim == 2:
            known = known_labels(y)
            y = y.where(known, 0)
            return (binary_focal(z, y, gamma=self.gamma) * self._weight(y.to(z))).where(known, 0)
        items = (
            binary_focal(z, y, gamma=self.gamma) if z.ndim == 1 else focal(z, y, gamma=self.gamma)
        )
        if self.alpha is not None and z.ndim == 2 and z.shape[1] > 2:
            rule = "alpha is for two classes or for labels"
            todo = "Leave it out, and weight classes by Reweighted(FocalLoss(), ClassWeight())"
            got = f"{z.shape[1]} classes"
            raise InvalidParameterError(message("FocalLoss", rule, got, todo))
        return items * self._weight(y.to(items))

    def _weight(self, y: Tensor) -> Tensor | float:
        """Return the weights of labels of 0 and 1."""
        if self.alpha is None:
            return 1.0
        return self.alpha * y + (1 - self.alpha) * (1 - y)
