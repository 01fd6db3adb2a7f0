"""The objective of a rule at every cut-off: an exact step function and its best threshold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import DataError

__all__ = ["Curve", "average", "cut_offs"]

# Two objective values this many units in the last place apart count as equal: enough for the
# rounding of a formula, far below the difference that one row makes.
_ULPS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """An objective as a function of the cut-off, without a grid and without interpolation.

    The objective changes only at the scores of the rows it was computed from. Entry k holds
    for every cut-off in the half-open interval (``thresholds[k + 1]``, ``thresholds[k]``];
    the last entry holds down to minus infinity. It unpacks into its first two fields:
    ``plt.step(*model.curve_, where="post")``.

    Parameters
    ----------
    thresholds : ndarray of shape (n_entries,)
        Strictly descending, in the dtype of the scores: ``inf``, then every distinct score.
    objective : ndarray of shape (n_entries,)
        Larger is better. ``-inf`` marks a cut-off that the rule forbids, NaN one at which
        the objective is not defined; neither is ever chosen.
    prevalence : float
        Share of the positive class in the weight of the rows.

    Notes
    -----
    Evaluation of c cut-offs takes O(c log n). The arrays are the ones given, not copies.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.thresholds import Curve
    >>> thresholds = np.array([np.inf, 0.8, 0.5, 0.1])
    >>> curve = Curve(thresholds, np.array([0.0, 0.7, 0.7, 0.4]), prevalence=0.3)
    >>> curve.best()
    0.45
    >>> curve.at([0.45, 0.1]).tolist()
    [0.7, 0.4]
    """

    thresholds: FloatArray
    objective: FloatArray
    prevalence: float

    def __post_init__(self) -> None:
        """Refuse what is not a step function."""
        shapes = self.thresholds.shape, self.objective.shape
        if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
            rule = "a curve needs one value of the objective for each threshold"
            raise DataError(message("Curve", rule, f"shapes {shapes[0]} and {shapes[1]}"))
        descends = (self.thresholds[1:] < self.thresholds[:-1]).all()
        if not descends or not self.thresholds.size or self.thresholds[0] != np.inf:
            rule = "thresholds must descend strictly from inf"
            raise DataError(message("Curve", rule, self.thresholds[:5].tolist()))

    def __iter__(self) -> Iterator[FloatArray]:
        return iter((self.thresholds, self.objective))

    @property
    def feasible(self) -> bool:
        """Whether any cut-off has an objective to speak of."""
        return bool((self.objective > -np.inf).any())

    def at(self, cuts: ArrayLike) -> FloatArray:
        """Return the objective at any cut-offs.

        Parameters
        ----------
        cuts : array-like of any shape
            Cut-offs; a row is alerted where its score is at least the cut-off.

        Returns
        -------
        ndarray of the shape of `cuts`
            The objective at each.
        """
        ascending = self.thresholds[::-1]
        entry = ascending.size - 1 - np.searchsorted(ascending, np.asarray(cuts), side="left")
        return np.asarray(self.objective[entry])

    def best(self) -> float:
        """Return the centre of the widest plateau of the optimum.

        Neighbouring entries that attain the optimum (within 8 units in the last place) form a
        plateau. The widest one in units of the score is taken, of equally wide ones the
        highest, and its centre returned: the cut-off that the scores of new rows would have
        to move furthest to cross. A plateau that is open above or below is measured up to
        the largest or smallest finite score only.

        Returns
        -------
        float
            Attains the optimum exactly, and is a number of the dtype of the scores, so that
            comparing it with them never rounds. ``inf`` (alert no row) only if no score is
            a cut-off that attains the optimum.

        Raises
        ------
        DataError
            If the objective is nowhere more than ``-inf``.
        """
        if not self.feasible:
            rule = "at least one cut-off must satisfy the rule"
            got = f"none of {self.objective.size:,}"
            raise DataError(message("Curve", rule, got, "Loosen the rule's constraint"))
        first, last = self._plateaus()
        scores = self.thresholds[np.isfinite(self.thresholds)]
        if last[-1] == 0 or not scores.size:
            return float(self.thresholds[first[0]])
        ceiling = self.thresholds[first]
        floor = np.append(self.thresholds, self.thresholds.dtype.type(-np.inf))[last + 1]
        # In double precision, and as halves, because the difference may overflow.
        upper = np.clip(ceiling, scores[-1], scores[0]).astype(float)
        lower = np.clip(floor, scores[-1], scores[0]).astype(float)
        half_width = np.where(last == 0, -1.0, upper / 2 - lower / 2)
        widest = int(half_width.argmax())
        centre = float(self.thresholds.dtype.type(upper[widest] / 2 + lower[widest] / 2))
        for threshold in (centre, float(upper[widest])):
            if floor[widest] < threshold <= ceiling[widest]:
                return threshold
        return float(ceiling[widest])

    def _plateaus(self) -> tuple[IntArray, IntArray]:
        """First and last entry of each run of entries that attain the optimum."""
        optimum = np.fmax.reduce(self.objective)
        slack = _ULPS * np.spacing(abs(optimum)) if np.isfinite(optimum) else 0.0
        attained = np.concatenate(([False], self.objective >= optimum - slack, [False]))
        edges = np.flatnonzero(attained[1:] != attained[:-1])
        return edges[::2], edges[1::2] - 1


def average(curves: Sequence[Curve]) -> Curve:
    """Return the mean of several curves, a step function on the union of their scores.

    Parameters
    ----------
    curves : sequence of Curve
        At least one.

    Returns
    -------
    Curve
        Exact at every cut-off; where one curve forbids a cut-off, so does the mean.
    """
    thresholds = np.unique(np.concatenate([curve.thresholds for curve in curves]))[::-1]
    with np.errstate(invalid="ignore"):
        objective = np.mean([curve.at(thresholds) for curve in curves], axis=0)
    return Curve(thresholds, objective, float(np.mean([c.prevalence for c in curves])))


def cut_offs(y_score: FloatArray) -> FloatArray:
    """Return ``inf`` and the distinct scores, descending: the thresholds of a curve."""
    ascending = np.sort(y_score)
    distinct: FloatArray = ascending[np.append(ascending[1:] != ascending[:-1], True)][::-1]
    if distinct[0] == np.inf:
        return distinct
    return np.concatenate((np.array([np.inf], dtype=distinct.dtype), distinct))
