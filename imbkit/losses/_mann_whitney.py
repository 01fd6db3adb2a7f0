"""The area under the ROC curve, by the logistic loss of pairs."""

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import mann_whitney, mann_whitney_classes
from imbkit.losses.functional._sets import score_columns, weight_columns

__all__ = ["MannWhitneyLoss"]


class MannWhitneyLoss(BaseLoss):
    """The logistic loss of each pair of a positive and a negative row.

    Choose it where the order of rows is what counts (the area under the ROC curve), and batches
    have rows of both classes. `AUCMarginLoss` needs no pairs, `SOAPLoss` is for average
    precision. Its outputs are scores: only their differences mean anything, so calibrate them
    if probabilities are asked for, and choose a threshold.

    Parameters
    ----------
    temperature : float, default=1.0
        What differences of scores are divided by, above 0.

    Attributes
    ----------
    incomplete : Tensor of shape ()
        How many batches so far taught nothing because they lacked positives or negatives; each
        label counts by itself.

    See Also
    --------
    AUCMarginLoss : The same end without pairs.
    SOAPLoss : Average precision.

    Notes
    -----
    The mean over positives i and negatives j of log(1 + exp(-(s_i - s_j) / T)). It is at least
    log(2) times one less the area under the curve, and log(2) where all scores are equal.
    Sample weights multiply within a pair. Of more than two classes, the mean is over pairs of
    classes in the batch, whose rows are ranked by the difference of the two logits; of several
    labels, over labels with both signs. Time grows with the product of positives and
    negatives (with the square of the rows for more than two classes), memory does not: above
    4,000,000 pairs, they are taken in blocks that are made again for the gradient. A batch of
    one class has the loss 0.

    Different from the paper, which ranks documents: the temperature, and what is said above of
    classes and labels.

    References
    ----------
    N. Sheikholeslami, E. Hosseini, P. Bechard, S. Daruru, S. Rajeswar, "Optimizing what
    matters: AUC-driven learning for robust neural retrieval", arXiv, 2025,
    doi:10.48550/arXiv.2510.00137.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import MannWhitneyLoss
    >>> MannWhitneyLoss()(torch.tensor([3.0, 3.0, 3.0]), torch.tensor([1, 0, 0]))
    tensor(0.6931)
    """

    card = Card(
        paper="Sheikholeslami et al. (2025), doi:10.48550/arXiv.2510.00137",
        cases=({}, {"temperature": 0.5}),
    )
    names = ("mann_whitney", "mw")
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    level = "batch"
    needs = frozenset({"pairs"})
    link = "score"

    incomplete: Tensor

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = check_number(
            temperature, "MannWhitneyLoss", "temperature", low=0.0, open_low=True
        )
        self._keep("incomplete", 0.0)

    def setup(self, stats: ClassStats) -> None:
        """Forget all batches seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("incomplete", 0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0; 0 without a gradient if the batch has no pair.
        """
        z, y, v = batch.logits, batch.target, batch.sample_weight
        if y.ndim == 1 and z.ndim == 2 and z.shape[1] > 2:
            if batch.training:
                seen = y if v is None else y[v > 0]
                self.incomplete += len(torch.unique(seen)) < 2
            return mann_whitney_classes(z, y, v, temperature=self.temperature)
        scores, labels, known = score_columns(z, y)
        weight = weight_columns(known, scores, v)
        found = []
        for s, t, w in zip(scores.T, labels.T, weight.T, strict=True):
            p, n = (w > 0) & (t > 0), (w > 0) & (t == 0)
            if p.any() and n.any():
                found.append(mann_whitney(s[p], s[n], w[p], w[n], temperature=self.temperature))
        if batch.training:
            self.incomplete += scores.shape[1] - len(found)
        return torch.stack(found).mean() if found else (z * 0).sum()
