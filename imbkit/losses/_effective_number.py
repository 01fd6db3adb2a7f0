"""Weights by how many different rows a class may hold."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.types import FloatArray
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._class_weight import NORMS, Norm, normalized, weights_of_classes
from imbkit.losses._context import LossContext
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import effective_number_weights

__all__ = ["EffectiveNumber"]


class EffectiveNumber(BaseReweighter):
    """Weights of classes by the effective number of their rows.

    Between no weights and weights by counts, in one number. Choose it over `ClassWeight` where
    frequent classes repeat themselves, so that their thousandth row says little that is new, and
    where one over the counts would be too much. As all class weights it moves probabilities
    towards the rare classes; a net knows by how much and can undo it.

    Parameters
    ----------
    beta : float or "auto", default=0.9999
        From 0, where all weights are 1, to 1, where they are one over the counts. Weights stop
        falling at about 1 / (1 - beta) rows. "auto" is (n - 1) / n for n training rows.
    normalize : {"mean_sample", "sum_k", "none"}, default="mean_sample"
        Whether the mean weight of the training rows is 1; or the weights sum to the number of
        classes; or neither.

    See Also
    --------
    ClassWeight : Weights by any power of the counts.
    Deferred : The same weights for the last epochs only.

    Notes
    -----
    (1 - beta) / (1 - beta^n_k) for n_k rows, at least 1, of the table and not of the batches. Of
    several labels a row, rows with and without each label are weighted as two classes.

    Different from the paper: its weights sum to the number of classes (``"sum_k"``), with which
    the mean weight of rows is far below 1 and the learning rate loses its meaning. ``"auto"`` is
    a rule of ours.

    References
    ----------
    Y. Cui, M. Jia, T.-Y. Lin, Y. Song, S. Belongie, "Class-balanced loss based on effective
    number of samples", CVPR, 2019, doi:10.1109/CVPR.2019.00949.

    Examples
    --------
    >>> from imbkit.losses import ClassStats, EffectiveNumber
    >>> stats = ClassStats.from_labels([0] * 5000 + [1] * 500 + [2] * 50)
    >>> EffectiveNumber(normalize="sum_k").class_factors(stats).round(4).tolist()
    [0.0341, 0.2752, 2.6907]
    """

    card = Card(
        paper="Cui et al. (2019), doi:10.1109/CVPR.2019.00949",
        cases=({}, {"beta": "auto", "normalize": "sum_k"}),
        limits=(
            Limit(when={"beta": 1.0}, equals="ClassWeight"),
            Limit(when={"beta": 0.0}, equals="ClassWeight", other={"scheme": 0.0}),
        ),
    )
    names = ("effective_number", "cb")
    needs = frozenset({"counts"})

    factors: Tensor

    def __init__(
        self, beta: float | Literal["auto"] = 0.9999, normalize: Norm = "mean_sample"
    ) -> None:
        super().__init__()
        who = "EffectiveNumber"
        self.beta: float | Literal["auto"]
        if isinstance(beta, str):
            self.beta = check_choice(beta, ("auto",), who, "beta")
        else:
            self.beta = check_number(beta, who, "beta", low=0.0, high=1.0)
        self.normalize = check_choice(normalize, NORMS, who, "normalize")

    def setup(self, stats: ClassStats) -> None:
        """Work the weights out.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("factors", self._worked_out(stats))

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return the weight of each row's class, or of each label.

        Parameters
        ----------
        batch : LossContext
            The batch.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Weights.
        """
        self._counted()
        return weights_of_classes(self.factors, batch.target)

    def class_factors(self, stats: ClassStats) -> FloatArray | None:
        """Return the weights of the classes.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.

        Returns
        -------
        ndarray of shape (n_classes,) or None
            None for several labels a row.
        """
        return None if stats.task == "multilabel" else self._worked_out(stats)

    def _worked_out(self, stats: ClassStats) -> FloatArray:
        """Return weights, of shape (n_classes,), or (2, n_labels) for labels 0 and 1."""
        counts = stats.counts
        if stats.task == "multilabel":
            counts = stats.positives_negatives.T[::-1]
        counts = np.maximum(counts, 1.0)
        n = max(stats.n_samples, 1)
        beta = (n - 1) / n if self.beta == "auto" else float(self.beta)
        weights = effective_number_weights(torch.from_numpy(counts), beta=beta).numpy()
        return normalized(weights, counts, self.normalize)
