"""Cross-entropy: the loss that all others are held against."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._context import LossContext
from imbkit.losses.functional import binary_cross_entropy, cross_entropy

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(BaseLoss):
    """Cross-entropy: minus the logarithm of the probability of each row's own class.

    The one to begin with. Its probabilities are those of the training rows, rare classes and
    all, which is what costs, budgets and thresholds need; only the label with the largest
    probability is a poor answer where a class is rare.

    See Also
    --------
    LogitAdjustedLoss : For labels with equal recalls, with probabilities that can be led back.
    imbkit.thresholds.ThresholdClassifierCV : For better labels from the same probabilities.

    Notes
    -----
    -log softmax(z)_y; of several labels a row, that of each by itself. The weighted mean divides by
    the sum of the sample weights; class weights (`Reweighted`) do not enter the divisor, as those
    of ``torch.nn.CrossEntropyLoss`` do.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import CrossEntropyLoss
    >>> CrossEntropyLoss()(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]))
    tensor(0.6931)
    """

    card = Card()
    names = ("cross_entropy", "ce")
    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        y = batch.target
        if y.ndim == 2:
            known = known_labels(y)
            return binary_cross_entropy(batch.logits, y.where(known, 0)).where(known, 0)
        return cross_entropy(batch.logits, y)
