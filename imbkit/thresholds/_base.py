"""The protocol of a rule: from scores and labels to the objective at every cut-off."""

from abc import abstractmethod
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from imbkit._core.messages import message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts, sweep
from imbkit.thresholds._curve import Curve, cut_offs

__all__ = ["BaseRule"]


class BaseRule(BaseEstimator):
    """What every rule answers; only `name` and `objective` must be written.

    A rule holds parameters and no data: it is cloned, searched over and used on many folds.
    The classifier calls, in this order, `row_names` (which values of each row are needed),
    `prepared` once on all rows, `curve` on every fold and on all folds together, and
    `threshold` on the curves.
    """

    #: Direction of the measure that is printed; the objective itself is always maximised.
    greater_is_better: bool = True

    @property
    @abstractmethod
    def name(self) -> str:
        """What the objective measures, for printing."""

    @abstractmethod
    def objective(self, counts: Counts) -> FloatArray:
        """Return what to maximise, one entry a cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better; ``-inf`` where the rule forbids the cut-off.
        """

    def row_names(self) -> tuple[str, ...]:
        """Return the names of the values that the rule needs for each row."""
        return ()

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Check the rule against all rows, before anything is fitted.

        A rule that depends on the data as a whole, such as a number of alerts that must
        become a share of the rows, returns a changed clone.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            The values that `row_names` asks for.

        Returns
        -------
        BaseRule
            The rule to use.
        """
        return self

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the objective at every cut-off of the scores.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            The values that `row_names` asks for.

        Returns
        -------
        Curve
            The objective, O(n log n).
        """
        _, counts = sweep(y_true, y_score, sample_weight)
        objective = np.asarray(self.objective(counts), dtype=float)
        if objective.shape != counts.tp.shape:
            rule = f"{self.name} must return one value for each of the {counts.tp.size:,} cut-offs"
            raise InvalidParameterError(
                message(type(self).__name__, rule, f"shape {objective.shape}")
            )
        prevalence = float(counts.positives[0] / counts.total[0])
        return Curve(cut_offs(y_score), objective, prevalence)

    def threshold(self, curve: Curve) -> float:
        """Choose the threshold; the centre of the widest optimal plateau unless overridden.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned, or the mean of several such curves.

        Returns
        -------
        float
            Rows with at least this score are predicted positive.
        """
        return curve.best()

    def measure(self, objective: float) -> float:
        """Return the objective in the direction in which it is printed.

        Parameters
        ----------
        objective : float
            A value of the objective, larger being better.

        Returns
        -------
        float
            The same, or its negative where the rule minimises.
        """
        return objective if self.greater_is_better else -objective
