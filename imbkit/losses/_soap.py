"""Average precision, with ranks remembered from batch to batch."""

import numpy as np
import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses._base import NEEDS, BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import smooth_average_precision, squared_hinge_means
from imbkit.losses.functional._sets import score_columns, weight_columns

__all__ = ["SOAPLoss"]

_LEAST = 1e-6  # a smooth rank that is divided by


class SOAPLoss(BaseLoss):
    """One less the average precision, with ranks made smooth and averaged over batches.

    Choose it where the head of the list is what counts (average precision, few alarms), and
    positives are too rare for a batch to know their ranks. It works best on a net that
    cross-entropy has trained before, and with a sampler that puts positives into every batch.
    Its outputs are scores: calibrate them if probabilities are asked for, and choose a
    threshold.

    Parameters
    ----------
    margin : float, default=1.0
        From how far below a row counts towards the rank of another, scores being between 0 and
        1; above 0.
    gamma : float, default=0.9
        Weight of the batch in the remembered ranks, above 0, at most 1; 1 forgets all others.

    Attributes
    ----------
    of_all, of_positives : Tensor of shape (n_samples, n_columns)
        What is remembered of each training row, after ``setup``.
    incomplete : Tensor of shape ()
        How many batches so far taught nothing because they lacked positives; each label counts
        by itself.

    See Also
    --------
    MannWhitneyLoss : The area under the ROC curve.

    Notes
    -----
    With h = sigmoid(score) and l_ij = max(0, m - (h_i - h_j))^2 for positives i and any row j:
    u_i <- (1 - g) u_i + g mean_j l_ij, once over all j (uA) and once with only positives in the
    sum (uP). The gradient is that of mean_ij P_ij l_ij, with
    P_ij = (uP_i - uA_i [j positive]) / uA_i^2 taken as constant; for g = 1 it is exactly that
    of one less the smooth average precision mean_i uP_i / uA_i. Memory is that of two numbers
    for each training row and label; above 4,000,000 pairs, a batch is taken in blocks that are
    made again for the gradient. Positions of rows (``index=``) must be those of the training
    part. Where nothing is learned, the ranks are those of the batch alone.

    Different from the paper: the value shown is one less the average precision by the
    remembered ranks, as that of the surrogate means nothing (it is 0 for g = 1); uA is at
    least 1e-6; a row that is drawn twice is remembered by its mean; sample weights enter all
    means.

    References
    ----------
    Q. Qi, Y. Luo, Z. Xu, S. Ji, T. Yang, "Stochastic optimization of areas under
    precision-recall curves with provable convergence", NeurIPS, 2021,
    doi:10.48550/arXiv.2104.08736.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, SOAPLoss
    >>> loss = SOAPLoss()
    >>> loss.setup(ClassStats.from_labels([1, 0, 0, 0]))
    >>> loss(torch.zeros(4), torch.tensor([1, 0, 0, 0]), index=torch.arange(4))
    tensor(0.7500)
    """

    card = Card(
        paper="Qi et al. (2021), doi:10.48550/arXiv.2104.08736",
        cases=({}, {"gamma": 1.0, "margin": 0.5}),
    )
    names = ("soap_ap", "ap")
    tasks = frozenset({"binary", "multilabel"})
    level = "batch"
    needs = frozenset({"index", "memory", "n_train", "pairs"})
    link = "score"

    of_all: Tensor
    of_positives: Tensor
    incomplete: Tensor

    def __init__(self, margin: float = 1.0, gamma: float = 0.9) -> None:
        super().__init__()
        self.margin = check_number(margin, "SOAPLoss", "margin", low=0.0, open_low=True)
        self.gamma = check_number(gamma, "SOAPLoss", "gamma", low=0.0, high=1.0, open_low=True)
        self._keep("incomplete", 0.0)

    def setup(self, stats: ClassStats) -> None:
        """Make room for every training row, and forget all batches seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        several = stats.task == "multilabel" or stats.n_classes > 2
        shape = (stats.n_samples, stats.n_classes if several else 1)
        self._keep("of_all", np.zeros(shape))
        self._keep("of_positives", np.zeros(shape))
        self._keep("incomplete", 0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch, and remember the ranks of its positives.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            From 0 to 1; 0 without a gradient if the batch lacks positives.
        """
        scores, labels, weight = self._columns(batch)
        index = self._positions(batch, scores.shape[1])
        found = []
        for column in range(scores.shape[1]):
            here = weight[:, column] > 0
            positive = here & (labels[:, column] > 0)
            if not positive.any():
                continue
            h, v = scores[here, column], weight[here, column]
            of_all, of_positives = squared_hinge_means(h, positive[here], v, margin=self.margin)
            rows = index[positive]
            u_all = self._remembered(self.of_all, rows, column, of_all, batch.training)
            u_positives = self._remembered(
                self.of_positives, rows, column, of_positives, batch.training
            )
            v = weight[positive, column]
            v = v / v.sum()
            u = u_all.clamp_min(_LEAST)
            surrogate = (v * (u_positives * of_all - u_all * of_positives) / u**2).sum()
            value = 1 - (v * u_positives / u).sum()
            found.append(value + surrogate - surrogate.detach())
        if batch.training:
            self.incomplete += scores.shape[1] - len(found)
        return torch.stack(found).mean() if found else (batch.logits * 0).sum()

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return one less the smooth average precision of the batch alone.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            From 0 to 1; 0 if the batch lacks positives.
        """
        found = []
        for h, t, v in zip(*(each.T for each in self._columns(batch)), strict=True):
            if ((v > 0) & (t > 0)).any():
                here = v > 0
                precision = smooth_average_precision(
                    h[here], t[here] > 0, v[here], margin=self.margin
                )
                found.append(1 - precision)
        return torch.stack(found).mean() if found else (batch.logits * 0).sum()

    def _columns(self, batch: LossContext) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores from 0 to 1, labels and weights."""
        scores, labels, known = score_columns(batch.logits, batch.target, "SOAPLoss")
        return torch.sigmoid(scores), labels, weight_columns(known, scores, batch.sample_weight)

    def _positions(self, batch: LossContext, n_columns: int) -> Tensor:
        """Return the positions of the rows, or complain."""
        if self.stats is None:
            raise InvalidParameterError(message("SOAPLoss", f"needs {NEEDS['n_train']}"))
        n, width = self.of_all.shape
        if width != n_columns:
            rule = f"was set up for {width} labels"
            todo = "Call setup(ClassStats.from_labels(y)) with the labels of the training rows"
            raise InvalidParameterError(message("SOAPLoss", rule, n_columns, todo))
        index = batch.index
        if index is None or len(index) != len(batch.logits):
            raise InvalidParameterError(message("SOAPLoss", f"needs {NEEDS['index']}"))
        if len(index) and (index.min() < 0 or index.max() >= n):
            rule = f"index must hold positions from 0 to {n - 1}, those of the training part"
            raise DataError(message("SOAPLoss", rule, int(index.max())))
        return index

    def _remembered(
        self, kept: Tensor, rows: Tensor, column: int, fresh: Tensor, training: bool
    ) -> Tensor:
        """Return what is remembered of rows after this batch, and keep it if it is for learning."""
        new = fresh.detach().to(kept)
        blended = (1 - self.gamma) * kept[rows, column] + self.gamma * new
        if training:
            once, where = torch.unique(rows, return_inverse=True)
            sums = torch.zeros_like(once, dtype=kept.dtype).index_add(0, where, blended)
            times = torch.bincount(where, minlength=len(once))
            kept[once, column] = sums / times
        return blended.to(fresh)
