"""Equalization: rare labels are spared most of the rows that lack them."""

import numpy as np
import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._logit_adjusted import check_kind, log_shares
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import label_weighted

__all__ = ["EqualizedLoss", "labels_of", "shares_after", "weighted_items"]

_RARE = 0.1  # of an equal share, below which a class is rare


class EqualizedLoss(BaseLoss):
    """Cross-entropy of each class against the rest, where rare ones need not answer for it.

    Each class has an output of its own, with a sigmoid. For a rare class the rows of all other
    classes say "no" so often that its few rows are drowned: most of that is left out. Choose it
    for many labels; :class:`EqualizedV2Loss` finds out by itself which labels need it. The
    probabilities of rare classes become larger by a known factor of their odds, see Notes.

    Parameters
    ----------
    threshold : float, default=None
        Share of a batch's rows below which a class is rare, from 0 (none is: plain
        cross-entropy) to 1. None is 0.1 / n_classes.
    ignored : float, default=0.9
        Part of the weight of other classes' rows that a rare class is spared, from 0 to 1.

    See Also
    --------
    EqualizedV2Loss : Weights by gradients.
    imbkit.losses.LogitAdjustedLoss : Several labels a row, too.

    Notes
    -----
    Binary cross-entropy of each output, summed over classes; the weight of a label 0 is
    1 - ignored for classes whose share is below `threshold`, and 1 otherwise. Odds of a rare
    class come out 1 / (1 - ignored) times as large.

    Different from the paper: there all of the weight is left out (``ignored=1``), with a
    threshold of 0.00176, and rows of background, which are no class, still say "no". A table
    has no background: nothing would keep the output of a rare class from growing without
    bound, for every row. Shares are those of the batches, not of the table.
    Where nothing is learned, the weights are 1.

    References
    ----------
    J. Tan, C. Wang, B. Li, Q. Li, W. Ouyang, C. Yin, J. Yan, "Equalization loss for long-tailed
    object recognition", CVPR, 2020, doi:10.48550/arXiv.2003.05176.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, EqualizedLoss
    >>> loss = EqualizedLoss(threshold=0.2)
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> loss(torch.zeros(1, 2), torch.tensor([0])) / torch.tensor(2.0).log()
    tensor(1.1000)
    """

    card = Card(
        paper="Tan et al. (2020), doi:10.48550/arXiv.2003.05176",
        cases=({}, {"threshold": 0.3}),
    )
    names = ("equalized", "eql")
    tasks = frozenset({"multiclass", "multilabel"})
    needs = frozenset({"counts"})
    link = "sigmoid"

    negative: Tensor

    def __init__(self, threshold: float | None = None, ignored: float = 0.9) -> None:
        super().__init__()
        who = "EqualizedLoss"
        self.threshold = check_number(threshold, who, "threshold", low=0.0, high=1.0, none=True)
        self.ignored = check_number(ignored, who, "ignored", low=0.0, high=1.0)

    def setup(self, stats: ClassStats) -> None:
        """Find the rare classes.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("negative", self._worked_out(stats))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Of class positions the sum over classes; 0 for a label that is missing.
        """
        check_kind(self, batch.target)
        return weighted_items(self, batch, torch.ones_like(self.negative), self.negative)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss without weights.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Of class positions the sum over classes; 0 for a label that is missing.
        """
        one = torch.ones_like(self.negative)
        return weighted_items(self, batch, one, one)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the shares that the sigmoids of the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Larger for rare classes; of class positions they are made to sum to one.
        """
        return shares_after(stats, np.ones(stats.n_classes), self._worked_out(stats))

    def _worked_out(self, stats: ClassStats) -> FloatArray:
        """Return the weight of a label 0, for each class."""
        least = self.threshold
        if least is None:
            least = _RARE / stats.n_classes
        return np.asarray(1.0 - self.ignored * (stats.effective_priors < least))


def labels_of(loss: BaseLoss, batch: LossContext) -> Tensor:
    """Return labels for each class: those given, or 1 for a row's own class.

    Parameters
    ----------
    loss : BaseLoss
        Named in the complaint.
    batch : LossContext
        The batch.
    """
    z, y = batch.logits, batch.target
    if z.ndim != 2 or (y.ndim == 2 and y.shape != z.shape):
        rule = "the logits must have a column for each class or label"
        got = f"logits of shape {tuple(z.shape)} and a target of shape {tuple(y.shape)}"
        raise DataError(message(type(loss).__name__, rule, got))
    return y if y.ndim == 2 else torch.nn.functional.one_hot(y, z.shape[1])


def weighted_items(
    loss: BaseLoss, batch: LossContext, positive: Tensor, negative: Tensor
) -> Tensor:
    """Return weighted cross-entropies of labels, summed within rows of class positions.

    Parameters
    ----------
    loss : BaseLoss
        Named in complaints.
    batch : LossContext
        The batch.
    positive, negative : Tensor of shape (n_classes,)
        Weights of the labels 1 and 0.
    """
    labels = labels_of(loss, batch)
    known = known_labels(labels)
    items = label_weighted(batch.logits, labels.where(known, 0), positive, negative)
    return items.sum(dim=1) if batch.target.ndim == 1 else items.where(known, 0)


def shares_after(stats: ClassStats, positive: FloatArray, negative: FloatArray) -> FloatArray:
    """Return the shares of labels 1 once labels are weighted.

    Parameters
    ----------
    stats : ClassStats
        Counts, and the class shares of the batches.
    positive, negative : ndarray of shape (n_classes,)
        Weights of the labels 1 and 0.
    """
    labels = stats.task == "multilabel"
    p = 1.0 / (1.0 + np.exp(-log_shares(stats))) if labels else stats.effective_priors
    shares = positive * p / np.maximum(positive * p + negative * (1.0 - p), np.finfo(float).tiny)
    return np.asarray(shares if labels else shares / shares.sum())
