"""Weights by how often classes occur."""

from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses._stats import ClassStats

__all__ = ["NORMS", "ClassWeight", "Norm", "normalized", "weights_of_classes"]

Norm: TypeAlias = Literal["mean_sample", "sum_k", "none"]
NORMS = ("mean_sample", "sum_k", "none")


class ClassWeight(BaseReweighter):
    """Weights of classes by their counts, or as given.

    Parameters
    ----------
    scheme : {"balanced", "sqrt"}, float or array-like of shape (n_classes,), default="balanced"
        n / (n_classes n_k); its root; that to any power; or the weights themselves, which are
        then taken as they are.
    normalize : {"mean_sample", "sum_k", "none"}, default="mean_sample"
        Whether the mean weight of the training rows is 1, so that the learning rate keeps its
        meaning; or the weights sum to the number of classes; or neither.

    See Also
    --------
    EffectiveNumber : Weights that grow less where rows repeat each other.

    Notes
    -----
    Counts are those of the table, not of the batches: beside a sampler that balances classes
    weights balance a second time. Counts are at least 1. Of several labels a row each label's
    rows with and without it are weighted as two classes, by their own counts.

    Examples
    --------
    >>> from imbkit.losses import ClassStats, ClassWeight
    >>> ClassWeight().class_factors(ClassStats.from_labels([0, 0, 0, 1])).round(2).tolist()
    [0.67, 2.0]
    """

    card = Card(cases=({}, {"scheme": "sqrt", "normalize": "sum_k"}, {"scheme": 0.3}))
    names = ("class_weight", "balanced")
    needs = frozenset({"counts"})

    factors: Tensor

    def __init__(
        self,
        scheme: Literal["balanced", "sqrt"] | float | ArrayLike = "balanced",
        normalize: Norm = "mean_sample",
    ) -> None:
        super().__init__()
        who = "ClassWeight"
        self.scheme = scheme
        if isinstance(scheme, str):
            check_choice(scheme, ("balanced", "sqrt"), who, "scheme")
        elif np.ndim(scheme) == 0:
            check_number(scheme, who, "scheme", low=0.0)  # type: ignore[arg-type]
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
        if not isinstance(self.scheme, str) and np.ndim(self.scheme) > 0:
            given = np.asarray(self.scheme, dtype=np.float64)
            if given.shape != counts.shape or not (np.isfinite(given) & (given >= 0)).all():
                rule = f"scheme must hold {counts.size} finite weights, none below 0"
                raise InvalidParameterError(message("ClassWeight", rule, self.scheme))
            return given
        power = {"balanced": 1.0, "sqrt": 0.5}.get(self.scheme, self.scheme)  # type: ignore
        return normalized((1.0 / counts) ** float(power), counts, self.normalize)


def normalized(weights: FloatArray, counts: FloatArray, how: Norm) -> FloatArray:
    """Return weights of classes multiplied so that their sum or mean is as asked for.

    Parameters
    ----------
    weights, counts : ndarray of shape (n_classes,) or (2, n_labels)
        Weights and rows; for labels, each column by itself.
    how : {"mean_sample", "sum_k", "none"}
        See :class:`ClassWeight`.
    """
    if how == "sum_k":
        return np.asarray(weights * (len(weights) / weights.sum(axis=0)))
    if how == "mean_sample":
        return np.asarray(weights * (counts.sum(axis=0) / (counts * weights).sum(axis=0)))
    return weights


def weights_of_classes(factors: Tensor, target: Tensor) -> Tensor:
    """Return the weight of each row's class, or of each label.

    Parameters
    ----------
    factors : Tensor of shape (n_classes,), or (2, n_labels)
        Weights of classes, or of the labels 0 and 1.
    target : Tensor of shape (n,) or (n, n_labels)
        Class positions, or labels.
    """
    if target.ndim == 2:
        return torch.where(target == 1, factors[1], factors[0])
    return factors[target.to(torch.int64)]
