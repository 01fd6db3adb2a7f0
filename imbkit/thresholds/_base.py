"""The protocol of a rule: from scores and labels to the objective at every cut-off."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray, Seed
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import Counts
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._every_cut import every_cut

if TYPE_CHECKING:
    from imbkit.thresholds._class_weights import ClassDecision
    from imbkit.thresholds._labels_decision import LabelsDecision

__all__ = ["BaseRule"]


class BaseRule(BaseEstimator):
    """What every rule answers; only `name` and `objective` must be written.

    A rule holds parameters and no data: it is cloned, searched over and used on many folds.
    The classifier calls, in this order, `row_names` (which values of each row are needed),
    `for_classes` and `prepared` once on all rows, `with_prior` if the rule `uses_prior`,
    `rescored` and `curve` on every fold and on all folds together, and `threshold` on the
    curves. To predict it calls `rescored` and `decide`. Of more than two classes it calls
    `class_decision` instead, of several labels a row `labels_decision`.
    """

    #: Direction of the measure that is printed; the objective itself is always maximised.
    greater_is_better: bool = True
    #: Whether the scores must be probabilities.
    needs_probabilities: bool = False
    #: Whether the rule asks for the class shares that the estimator was trained on.
    uses_prior: bool = False
    #: Whether `class_decision` decides between more than two classes.
    serves_many_classes: bool = False

    # What to do where it does not.
    _instead = "Use BestMetric, LowestCost or PriorRule, or call fit(X, y == label)"

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

    def decision_names(self) -> tuple[str, ...]:
        """Return the names of the row values that a decision needs, too: some of `row_names`."""
        return ()

    def row_kind(self, name: str) -> Literal["number", "raw"]:
        """Return what the values of a name are.

        Parameters
        ----------
        name : str
            One of `row_names`.

        Returns
        -------
        {"number", "raw"}
            "number": finite floats. "raw": anything without missing values, such as times or
            names of customers; an array of shape (n_rows,) as it is.
        """
        return "number"

    def for_classes(self, classes: Sequence[Any], positive: int) -> Self:
        """Return the rule for a target of two given classes.

        Parameters
        ----------
        classes : sequence of two labels
            The classes, sorted.
        positive : {0, 1}
            Which of them is the positive one.

        Returns
        -------
        BaseRule
            The rule to use; another one where parameters are stated by class.
        """
        return self

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

    def with_prior(self, prior: FloatArray) -> Self:
        """Return the rule for an estimator that was trained on these class shares.

        Parameters
        ----------
        prior : ndarray of shape (n_classes,)
            Shares; of two classes first the negative, then the positive one.

        Returns
        -------
        BaseRule
            The rule to use.
        """
        return self

    def rescored(self, y_score: FloatArray, **row_values: AnyArray) -> FloatArray:
        """Return what the threshold is set on, the score itself unless overridden.

        Parameters
        ----------
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        **row_values : ndarray of shape (n_rows,)
            The values that `decision_names` asks for.

        Returns
        -------
        ndarray of shape (n_rows,)
            Larger means more worth an alert.
        """
        return y_score

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
        thresholds, counts = every_cut(y_true, y_score, sample_weight)
        objective = np.asarray(self.objective(counts), dtype=float)
        if objective.shape != counts.tp.shape:
            rule = f"{self.name} must return one value for each of the {counts.tp.size:,} cut-offs"
            raise InvalidParameterError(
                message(type(self).__name__, rule, f"shape {objective.shape}")
            )
        prevalence = float(counts.positives[0] / counts.total[0])
        return Curve(thresholds, objective, prevalence)

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

    def decide(self, y_score: FloatArray, threshold: float, **row_values: AnyArray) -> BoolArray:
        """Say which rows are alerted.

        Parameters
        ----------
        y_score : ndarray of shape (n_rows,)
            What `rescored` returned.
        threshold : float
            The threshold.
        **row_values : ndarray of shape (n_rows,)
            The values that `decision_names` asks for.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            True where the score reaches the threshold, without rounding either to the other's
            dtype.
        """
        # A Python float would be rounded to the dtype of the scores first.
        return np.asarray(y_score >= np.float64(threshold))

    def describe(self, threshold: float) -> str:
        """Return the decision in a few words.

        Parameters
        ----------
        threshold : float
            The threshold.

        Returns
        -------
        str
            E.g. ``"score >= 0.173"``.
        """
        return f"score >= {threshold:.6g}"

    def deployed(self, threshold: float) -> float:
        """Return the threshold with which scikit-learn's FixedThresholdClassifier decides alike.

        Parameters
        ----------
        threshold : float
            The threshold that was chosen.

        Returns
        -------
        float
            The same, unless overridden.

        Raises
        ------
        InvalidParameterError
            If no single threshold on the score makes the same decisions.
        """
        return threshold

    def check_classes(self, n_classes: int) -> None:
        """Refuse more classes than the rule can decide between.

        Parameters
        ----------
        n_classes : int
            Number of classes of the target.

        Raises
        ------
        DataError
            If there are more than two, and the rule does not serve those.
        """
        if n_classes > 2 and not self.serves_many_classes:
            raise self._two_classes_only(n_classes)

    def class_decision(
        self,
        codes: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
        *,
        classes: Sequence[Any],
        prior: FloatArray | None = None,
        n_restarts: int = 3,
        random_state: Seed = None,
    ) -> "ClassDecision":
        """Choose how to decide between more than two classes.

        Parameters
        ----------
        codes : ndarray of int, shape (n_rows,)
            Class of each row, as its position in `classes`.
        probabilities : ndarray of shape (n_rows, n_classes)
            Of each class.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        classes : sequence
            The labels.
        prior : ndarray of shape (n_classes,), default=None
            Class shares that the estimator was trained on, if the rule `uses_prior`.
        n_restarts : int, default=3
            Starting points of a search.
        random_state : int, RandomState or None, default=None
            Draws the starting points beyond the second.

        Returns
        -------
        ClassDecision
            Callable on probabilities.

        Raises
        ------
        DataError
            If the rule is defined for two classes only.
        """
        raise self._two_classes_only(len(classes))

    def labels_decision(
        self,
        y_true: IntArray,
        probabilities: FloatArray,
        sample_weight: FloatArray | None = None,
    ) -> "LabelsDecision":
        """Choose how to decide on several labels a row: by this rule on each label by itself.

        Parameters
        ----------
        y_true : ndarray of int, shape (n_rows, n_labels)
            1 where the row has the label, else 0.
        probabilities : ndarray of shape (n_rows, n_labels)
            Of each label.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.

        Returns
        -------
        LabelsDecision
            Callable on probabilities.
        """
        from imbkit.thresholds._labels_decision import per_label

        return per_label(self, y_true, probabilities, sample_weight)

    def _two_classes_only(self, n_classes: int) -> DataError:
        # The first words are those that scikit-learn's own checks look for.
        rule = "Only binary classification is supported by this rule"
        return DataError(message(type(self).__name__, rule, f"{n_classes} classes", self._instead))
