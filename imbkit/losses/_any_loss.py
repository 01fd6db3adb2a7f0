"""Scores of a confusion matrix as losses, by predictions close to 0 and 1."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import label_columns, soft_counts, soft_score
from imbkit.losses.functional._sets import SoftMetric, mean_over, weight_columns

__all__ = ["AnyLoss"]

Schedule: TypeAlias = Literal["none", "warm_up", "anneal"]

_METRICS = ("accuracy", "f_beta", "gmean", "balanced_accuracy", "mcc")
_WARM = 0.1  # share of the epochs that cross-entropy has to itself
_SOFT = 10.0  # the amplification that annealing begins with


class AnyLoss(BaseLoss):
    """One less a score of the confusion matrix, of predictions pushed close to 0 and 1.

    Choose it where one score of labels, at the threshold 1/2, is all that counts, and batches
    are large: the score is that of a batch. A threshold chosen after training
    (:class:`imbkit.thresholds.ThresholdClassifierCV`) serves the same end and keeps
    probabilities; those of this loss only say on which side of 1/2 a row lies.

    Parameters
    ----------
    metric : {"accuracy", "f_beta", "gmean", "balanced_accuracy", "mcc"}, default="f_beta"
        The score: "f_beta" is F1 unless `beta` is given, "gmean" the geometric mean of both
        recalls, "mcc" the correlation of Matthews.
    L : float, default=73
        How steep the step at the probability 1/2 is, above 0.
    beta : float, default=1.0
        How much recall counts for beside precision, above 0, of "f_beta" only.
    average : {"macro", "micro"}, default="macro"
        The mean over labels or classes, or one score of all their entries together.
    schedule : {"none", "warm_up", "anneal"}, default="none"
        What helps at the beginning: "warm_up" has cross-entropy for the first tenth of the
        epochs, "anneal" raises the steepness from 10 to `L` over all of them.

    Attributes
    ----------
    incomplete : Tensor of shape ()
        How many batches so far had cross-entropy because they lacked positives or negatives;
        each label or class counts by itself.

    See Also
    --------
    DiceNLPLoss : F1 of probabilities as they are.
    imbkit.thresholds.ThresholdClassifierCV : A threshold for a score, after training.

    Notes
    -----
    A = sigmoid(L (p - 1/2)) stands for the prediction in the four counts, which sample weights
    multiply. The slope of A is L A (1 - A): for L = 73 it is 18 at p = 0.5, 0.05 at 0.6 and
    less than 0.0001 at 0.7, so rows beyond 1/2 +- 0.2 do not move any more. The authors chose
    73 as the largest whole number for which A(1) is below 1 in float64 (in float32 it is 33).
    A schedule helps where a net starts far from 1/2; validation always has the full `L`.

    Different from the paper: the correlation of Matthews, the schedules, 1e-7 below roots, and
    cross-entropy for a batch that lacks positives or negatives. More than two classes are taken
    one against the rest, by their softmax probabilities. The authors take the training rows as
    one batch.

    References
    ----------
    D. Han, N. Moniz, N. V. Chawla, "AnyLoss: transforming classification metrics into loss
    functions", KDD, 2024, doi:10.48550/arXiv.2405.14745.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import AnyLoss
    >>> z, y = torch.tensor([2.0, 2.0, -2.0, -2.0]), torch.tensor([1, 0, 1, 0])
    >>> AnyLoss("balanced_accuracy")(z, y)
    tensor(0.5000)
    """

    card = Card(
        paper="Han et al. (2024), doi:10.48550/arXiv.2405.14745",
        cases=(
            {},
            {"metric": "gmean", "schedule": "anneal"},
            {"metric": "mcc", "L": 10.0, "average": "micro"},
            {"metric": "balanced_accuracy", "L": 10.0, "schedule": "warm_up"},
            {"metric": "accuracy", "L": 10.0},
        ),
    )
    names = ("any_loss",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    level = "batch"
    needs = frozenset({"pairs"})

    incomplete: Tensor

    def __init__(
        self,
        metric: SoftMetric = "f_beta",
        L: float = 73.0,
        beta: float = 1.0,
        average: Literal["macro", "micro"] = "macro",
        schedule: Schedule = "none",
    ) -> None:
        super().__init__()
        self.metric = check_choice(metric, _METRICS, "AnyLoss", "metric")
        self.L = check_number(L, "AnyLoss", "L", low=0.0, open_low=True)
        self.beta = check_number(beta, "AnyLoss", "beta", low=0.0, open_low=True)
        self.average = check_choice(average, ("macro", "micro"), "AnyLoss", "average")
        schedules = ("none", "warm_up", "anneal")
        self.schedule = check_choice(schedule, schedules, "AnyLoss", "schedule")
        if schedule != "none":
            self.needs = self.needs | {"epoch"}
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
        """Return the loss of the batch, at the steepness of the epoch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            One less the score; cross-entropy where the batch lacks a class, or in a warm-up.
        """
        warming = self.schedule == "warm_up" and batch.epoch < _WARM * batch.max_epochs
        steep = self.L
        if self.schedule == "anneal":
            start = min(_SOFT, self.L)
            steep = start + (self.L - start) * min(batch.epoch / max(batch.max_epochs - 1, 1), 1)
        return self._loss(batch, steep, warming)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch at full steepness.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            One less the score; cross-entropy where the batch lacks a class.
        """
        return self._loss(batch, self.L, False)

    def _loss(self, batch: LossContext, steep: float, warming: bool) -> Tensor:
        """Return the mean of the loss over columns."""
        log_p, log_rest, labels, known = label_columns(batch.logits, batch.target)
        weight = weight_columns(known, log_p, batch.sample_weight)
        if self.average == "micro":
            flat = (each.reshape(-1, 1) for each in (log_p, log_rest, labels, weight))
            log_p, log_rest, labels, weight = flat
        mass = weight.sum(0)
        tiny = torch.finfo(mass.dtype).tiny
        entropies = -log_p.where(labels > 0, log_rest)
        entropy = (weight * entropies).sum(0) / mass.clamp_min(tiny)
        if warming:
            return mean_over(entropy, mass > 0)
        amplified = torch.sigmoid(steep * (log_p.exp() - 0.5))
        score = soft_score(self.metric, *soft_counts(amplified, labels, weight), beta=self.beta)
        positives = (weight * labels).sum(0)
        complete = (positives > 0) & ((weight * (1 - labels)).sum(0) > 0)
        if batch.training:
            self.incomplete += (~complete & (mass > 0)).sum()
        return mean_over((1 - score).where(complete, entropy), mass > 0)
