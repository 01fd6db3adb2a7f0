"""Recall of classes with many, a medium number of, and few training rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._confusion import check_targets, class_counts
from imbkit.metrics._counts import ratio
from imbkit.metrics._numbers import check_between

__all__ = ["ShotReport", "shot_report"]


@dataclass(frozen=True, slots=True, eq=False)
class ShotReport:
    """Recall by how often the model saw a class; one entry a class with a row to test.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted.
    recall : ndarray of shape (n_classes,)
        Recall of each.
    train_rows : ndarray of shape (n_classes,)
        Number of its training rows.
    shot : ndarray of shape (n_classes,)
        "many", "medium" or "few".

    Examples
    --------
    >>> from imbkit.metrics import shot_report
    >>> report = shot_report([0, 0, 1, 2], [0, 1, 1, 0], y_train={0: 500, 1: 50, 2: 5})
    >>> report.many, report.medium, report.few, report.overall
    (0.5, 1.0, 0.0, 0.5)
    """

    classes: AnyArray
    recall: FloatArray
    train_rows: FloatArray
    shot: AnyArray

    @property
    def many(self) -> float:
        """Mean recall of the classes with many training rows; NaN if there is none."""
        return self._mean(self.shot == "many")

    @property
    def medium(self) -> float:
        """Mean recall of the classes in between; NaN if there is none."""
        return self._mean(self.shot == "medium")

    @property
    def few(self) -> float:
        """Mean recall of the classes with few training rows; NaN if there is none."""
        return self._mean(self.shot == "few")

    @property
    def overall(self) -> float:
        """Mean recall of all classes, the balanced accuracy."""
        return self._mean(np.ones(self.recall.size, dtype=bool))

    def _mean(self, chosen: Any) -> float:
        return float(self.recall[chosen].mean()) if chosen.any() else float("nan")


def shot_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike | Mapping[Any, float],
    many: float = 100,
    few: float = 20,
    sample_weight: ArrayLike | None = None,
) -> ShotReport:
    """Return the recall of frequent, medium and rare classes by themselves.

    Choose it over one mean where there are dozens of classes, to see whether a gain for the
    rare ones was paid for by the others.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels of the rows to test.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    y_train : array-like of shape (n_train,) or mapping
        Labels of the training rows, or the number of training rows of each class. A class
        that is not in it has none.
    many : float, default=100
        Classes with more training rows than this are "many".
    few : float, default=20
        Classes with fewer training rows than this are "few"; at most `many` + 1.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row to test.

    Returns
    -------
    ShotReport
        The recall of each class, its group, and the groups' means. Classes without a row in
        `y_true` are left out.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `many` and `few` are negative or overlap, or a number of training rows is.

    See Also
    --------
    worst_class_recall_score : The worst class alone.

    Notes
    -----
    The groups are those of the long-tail benchmarks. A group's value is the mean over its
    classes, each of the same weight.

    References
    ----------
    Z. Liu et al., "Large-scale long-tailed recognition in an open world", CVPR, 2019,
    arXiv:1904.05160.

    B. Kang et al., "Decoupling representation and classifier for long-tailed recognition",
    ICLR, 2020, arXiv:1910.09217.

    Examples
    --------
    >>> from imbkit.metrics import shot_report
    >>> report = shot_report([0, 0, 1, 2], [0, 1, 1, 0], y_train={0: 500, 1: 50, 2: 5})
    >>> report.shot.tolist(), report.recall.tolist()
    (['many', 'medium', 'few'], [0.5, 1.0, 0.0])
    """
    who = "shot_report"
    most = check_between(who, "many", many, 0.0, np.inf, excluded="high")
    least = check_between(who, "few", few, 0.0, np.inf, excluded="high")
    if least > most + 1:
        rule = "few must not be above many + 1, for a class is in one group only"
        raise InvalidParameterError(message(who, rule, f"few={few} and many={many}"))
    classes, counts = class_counts(who, y_true, y_pred, None, sample_weight)
    some = counts.positives > 0
    classes = classes[some]
    train_rows = _rows_of(who, y_train, classes)
    shot = np.where(train_rows > most, "many", np.where(train_rows < least, "few", "medium"))
    return ShotReport(classes, ratio(counts.tp, counts.positives)[some], train_rows, shot)


def _rows_of(who: str, y_train: ArrayLike | Mapping[Any, float], classes: AnyArray) -> FloatArray:
    """Return the number of training rows of each class."""
    if isinstance(y_train, Mapping):
        rows = np.array([float(y_train.get(label, 0)) for label in classes.tolist()])
        if not (np.isfinite(rows) & (rows >= 0)).all():
            rule = "y_train must map classes to numbers of rows, not negative"
            raise InvalidParameterError(message(who, rule, dict(y_train)))
        return rows
    labels, _, present = check_targets(who, y_train, y_train)
    number = dict(zip(present.tolist(), np.bincount(np.searchsorted(present, labels)), strict=True))
    return np.array([float(number.get(label, 0)) for label in classes.tolist()])
