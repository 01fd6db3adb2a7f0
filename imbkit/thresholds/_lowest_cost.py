"""The threshold at which the decisions cost least."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from imbkit._core.card import Card, Limit
from imbkit._core.constraints import StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.exceptions import InvalidParameterError, ThresholdWarning
from imbkit.metrics import Counts
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._class_weights import ClassDecision, best_weights, cost_objective
from imbkit.thresholds._cost_matrix import check_cost_matrix, warn_if_decided
from imbkit.thresholds._curve import Curve
from imbkit.thresholds._expected_fbeta import check_probabilities

__all__ = ["LowestCost"]

_USUAL = {"fp": 1.0, "fn": 1.0, "tp": 0.0, "tn": 0.0}


class LowestCost(BaseRule):
    """Take the threshold, or decide each row, so that the decisions cost least.

    Choose it when the consequences can be priced: a review costs 5, a missed fraud costs its
    amount. Each cost is a number for all rows, or the name of values given for each row:
    ``model.fit(X, y, amount=amounts)``, or else a column of the frame `X`.

    Parameters
    ----------
    fp : float or str, default=1.0
        Cost of alerting a negative row.
    fn : float or str, default=1.0
        Cost of leaving a positive row alone.
    tp : float or str, default=0.0
        Cost of alerting a positive row; below 0 for a gain.
    tn : float or str, default=0.0
        Cost of leaving a negative row alone.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        ``cost_matrix[i, j]`` is the cost of predicting class i (axis 0) when the truth is
        class j (axis 1), the classes in sorted order, as in
        :func:`imbkit.metrics.expected_cost`. Replaces the four costs above; required for
        more than two classes.
    decision : {"threshold", "expected_loss"}, default="threshold"
        "threshold": the cut-off at which the rows cost least in all; the scores may be
        anything. "expected_loss": a row is alerted where its expected loss with an alert is
        not above that without one; for probabilities, which should be calibrated. Then the
        costs of each row enter its decision, and are needed to predict as well:
        ``model.predict(X, amount=amounts)``.

    See Also
    --------
    BestMetric : The threshold that is best by a count metric.
    imbkit.metrics.expected_cost : What the decisions cost.

    Notes
    -----
    With "threshold" the total cost is minimised over all cut-offs of the scores, so the scores
    need not be probabilities. On calibrated probabilities and constant costs the optimum is
    known: (fp - tn) / (fp - tn + fn - tp). One threshold serves all rows, whatever their own
    costs.

    With "expected_loss" the score p of each row becomes the saving that its alert is expected
    to bring, p (fn - tp) - (1 - p) (fp - tn), and the threshold is 0: nothing is learnt from
    the labels but what these decisions would have cost. With constant costs it is the optimum
    above.

    Where alerting never costs more than leaving alone, or leaving alone never more than
    alerting, the scores do not matter and a warning says so; with more classes it speaks of
    any class that some other one never exceeds in cost. A class that only several others
    together make superfluous is not noticed.

    More than two classes: with "threshold" one weight a class, by a search over the exact
    breakpoints; with "expected_loss" the class of least expected cost,
    argmin_i sum_j cost_matrix[i, j] p_j.

    scikit-learn's searches and scorers call ``predict(X)`` alone. With "expected_loss" give the
    costs of the rows as columns of the frame `X` there.

    Per-row costs take one sort and two cumulative sums, O(n log n).

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.thresholds import LowestCost, ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> amount = np.random.default_rng(0).gamma(2.0, 50.0, size=1000)
    >>> rule = LowestCost(fp=5.0, tp=5.0, fn="amount")
    >>> model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y, amount=amount)
    >>> model.rule_
    Rule(score >= 0.064..., cost=934..., at 159 of 1000 rows)
    """

    card = Card(
        paper="Elkan (2001), IJCAI",
        cases=(
            {},
            {"fp": 1.0, "fn": 10.0},
            {"fp": 5.0, "fn": 50.0, "tp": 5.0},
            {"cost_matrix": [[0.0, 10.0], [1.0, 0.0]]},
            {"fn": 10.0, "decision": "expected_loss"},
        ),
        limits=(
            Limit(
                when={"cost_matrix": [[0.0, 7.0], [2.0, 1.0]]},
                equals="LowestCost",
                other={"fp": 2.0, "fn": 7.0, "tp": 1.0},
            ),
        ),
    )

    _parameter_constraints = {
        **{name: [Real, str] for name in _USUAL},
        "cost_matrix": ["array-like", None],
        "decision": [StrOptions({"threshold", "expected_loss"})],
    }

    greater_is_better = False

    def __init__(
        self,
        fp: float | str = 1.0,
        fn: float | str = 1.0,
        *,
        tp: float | str = 0.0,
        tn: float | str = 0.0,
        cost_matrix: ArrayLike | None = None,
        decision: Literal["threshold", "expected_loss"] = "threshold",
    ) -> None:
        self.fp = fp
        self.fn = fn
        self.tp = tp
        self.tn = tn
        self.cost_matrix = cost_matrix
        self.decision = decision

    @property
    def needs_probabilities(self) -> bool:  # type: ignore[override]
        """Whether the scores must be probabilities: to decide by expected loss."""
        return self.decision == "expected_loss"

    _instead = (
        "Pass cost_matrix, whose entry [i, j] is the cost of predicting class i when the truth is "
        "class j"
    )

    @property
    def serves_many_classes(self) -> bool:  # type: ignore[override]
        """Whether more than two classes are served: with a matrix."""
        return self.cost_matrix is not None

    @property
    def name(self) -> str:
        """What is minimised."""
        return "cost"

    def row_names(self) -> tuple[str, ...]:
        """Return the names of the costs that differ from row to row."""
        costs = (self.fp, self.fn, self.tp, self.tn)
        return tuple(dict.fromkeys(cost for cost in costs if isinstance(cost, str)))

    def decision_names(self) -> tuple[str, ...]:
        """Return the names of the costs that enter the decision of each row."""
        return self.row_names() if self.decision == "expected_loss" else ()

    def for_classes(self, classes: Sequence[Any], positive: int) -> Self:
        """Return the rule with its matrix read as the costs of a positive class.

        Parameters
        ----------
        classes : sequence
            The two labels, sorted.
        positive : {0, 1}
            Position of the positive one.

        Returns
        -------
        LowestCost
            A clone with the four costs, or this rule if it has no matrix.
        """
        if self.cost_matrix is None:
            return self
        self._check()
        matrix = check_cost_matrix(self.cost_matrix, 2, "LowestCost", classes)
        if positive == 0:
            matrix = matrix[::-1, ::-1]
        ready: Self = clone(self)
        ready.set_params(**_outcomes(matrix), cost_matrix=None)
        ready.positive_row_ = positive
        return ready

    def prepared(self, y_true: BoolArray, **row_values: FloatArray) -> Self:
        """Check the costs, and warn if they make the scores irrelevant.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        **row_values : ndarray of shape (n_rows,)
            The costs of each row.

        Returns
        -------
        LowestCost
            This rule.
        """
        self._check()
        alerted, passed = self._costs(y_true, row_values)
        saved = np.where(y_true, passed - alerted, alerted - passed)
        for label, error, right, fate in (
            (False, "fp", "tn", "alerted"),
            (True, "fn", "tp", "left alone"),
        ):
            rows = saved[y_true == label]
            if rows.size and not (rows > 0).any():
                rule = f"{error} should exceed {right}, or every row is best {fate} at any score"
                got = f"{self._shown(error)} and {self._shown(right)}"
                text = message("LowestCost", rule, got, "Check the costs")
                warn(text, ThresholdWarning)
        return self

    def rescored(self, y_score: FloatArray, **row_values: AnyArray) -> FloatArray:
        """Return the scores, or the saving that an alert of each row is expected to bring.

        Parameters
        ----------
        y_score : ndarray of shape (n_rows,)
            Scores; probabilities if the rule decides by expected loss.
        **row_values : ndarray of shape (n_rows,)
            The costs of each row.

        Returns
        -------
        ndarray of shape (n_rows,)
            Larger means more worth an alert.
        """
        if self.decision != "expected_loss":
            return y_score
        p = check_probabilities(y_score, "LowestCost")
        cost = {
            name: row_values[cost] if isinstance(cost, str) else float(cost)
            for name, cost in self._four().items()
        }
        saving = p * (cost["fn"] - cost["tp"]) - (1 - p) * (cost["fp"] - cost["tn"])
        return np.asarray(saving, dtype=float)

    def threshold(self, curve: Curve) -> float:
        """Choose the threshold: of least cost, or 0 where savings are looked at.

        Parameters
        ----------
        curve : Curve
            What :meth:`curve` returned, or the mean of several such curves.

        Returns
        -------
        float
            Rows with at least this score, or saving, are predicted positive.
        """
        return 0.0 if self.decision == "expected_loss" else curve.best()

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
        if self.decision != "expected_loss":
            return super().describe(threshold)
        return f"expected saving >= {threshold:.6g}"

    def deployed(self, threshold: float) -> float:
        """Return the threshold on the score that makes the same decisions.

        Parameters
        ----------
        threshold : float
            The threshold that was chosen.

        Returns
        -------
        float
            Of expected loss with constant costs, (fp - tn) / (fp - tn + fn - tp).

        Raises
        ------
        InvalidParameterError
            If the costs of each row enter its decision, or alerts save less on rows that are
            more likely positive.
        """
        if self.decision != "expected_loss":
            return threshold
        todo = "Use decision='threshold', or ship the model with imbkit installed"
        if self.row_names():
            rule = "no threshold on the score decides by the costs of each row"
            got = f"decision='expected_loss' with {listing(self.row_names())}"
            raise InvalidParameterError(message("LowestCost", rule, got, todo))
        cost = {name: float(value) for name, value in self._four().items()}
        price, gain = cost["fp"] - cost["tn"], cost["fn"] - cost["tp"]
        if not price + gain > 0:
            rule = "an alert must save more on rows that are more likely positive"
            raise InvalidParameterError(message("LowestCost", rule, cost, todo))
        return price / (price + gain)

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
    ) -> ClassDecision:
        """Choose the weight of each class, or decide each row, so that predictions cost least.

        Parameters
        ----------
        codes : ndarray of int, shape (n_rows,)
            Class of each row, as its position in `classes`.
        probabilities : ndarray of shape (n_rows, n_classes)
            Of each class.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights; one for every row if None.
        classes : sequence
            The labels, sorted.
        prior : ndarray of shape (n_classes,), default=None
            Not used.
        n_restarts : int, default=3
            Starting points of the search.
        random_state : int, RandomState or None, default=None
            Draws the starting points beyond the second.

        Returns
        -------
        ClassDecision
            Callable on probabilities.

        Raises
        ------
        DataError
            If there is no matrix.
        InvalidParameterError
            If the matrix is not one of these classes.
        """
        self._check()
        if self.cost_matrix is None:
            raise self._two_classes_only(len(classes))
        matrix = check_cost_matrix(self.cost_matrix, len(classes), "LowestCost", classes)
        warn_if_decided(matrix, classes, "LowestCost")
        if self.decision == "threshold":
            return best_weights(
                codes,
                probabilities,
                sample_weight,
                cost_objective(matrix),
                n_restarts=n_restarts,
                random_state=random_state,
                classes=classes,
            )
        weight = np.ones(codes.size) if sample_weight is None else sample_weight
        total = float(weight @ matrix[ClassDecision(cost=matrix)(probabilities), codes])
        return ClassDecision(
            cost=matrix,
            name=self.name,
            value=-total,
            classes=tuple(classes),
            greater_is_better=False,
        )

    def objective(self, counts: Counts) -> FloatArray:
        """Return the negative total of constant costs at every cut-off.

        Parameters
        ----------
        counts : Counts
            Weighted counts at each cut-off; arrays of shape (n_cuts,).

        Returns
        -------
        ndarray of shape (n_cuts,)
            Larger is better.
        """
        names = self.row_names()
        if names:
            rule = "costs that differ from row to row need the rows, not their counts"
            raise InvalidParameterError(message("LowestCost", rule, list(names), "Use curve"))
        fp, fn, tp, tn = (float(cost) for cost in self._four().values())
        return np.asarray(-(fp * counts.fp + fn * counts.fn + tp * counts.tp + tn * counts.tn))

    def curve(
        self,
        y_true: BoolArray,
        y_score: FloatArray,
        sample_weight: FloatArray | None = None,
        **row_values: FloatArray,
    ) -> Curve:
        """Return the negative total cost at every cut-off of the scores.

        Parameters
        ----------
        y_true : ndarray of bool, shape (n_rows,)
            Whether each row is positive.
        y_score : ndarray of shape (n_rows,)
            Scores, larger meaning more likely positive.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weights that multiply the costs; one for every row if None.
        **row_values : ndarray of shape (n_rows,)
            The costs of each row.

        Returns
        -------
        Curve
            The objective, O(n log n).
        """
        if not self.row_names():
            return super().curve(y_true, y_score, sample_weight)
        alerted, passed = self._costs(y_true, row_values)
        if sample_weight is not None:
            alerted, passed = alerted * sample_weight, passed * sample_weight
        order = np.argsort(y_score)
        descending = y_score.take(order)[::-1]
        # Two sums of one sign each instead of a difference, so that nothing cancels.
        total, below = np.zeros(order.size + 1), np.zeros(order.size + 1)
        np.cumsum(alerted.take(order)[::-1], out=total[1:])
        np.cumsum(passed.take(order), out=below[1:])
        total += below[::-1]
        # Tied rows are alerted together: a cut-off lies behind the last of each tie.
        ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True)) + 1
        thresholds = descending[ends - 1]
        if thresholds[0] != np.inf:
            first = np.array([np.inf], dtype=thresholds.dtype)
            thresholds = np.concatenate((first, thresholds))
            ends = np.concatenate(([0], ends))
        prevalence = float(np.average(y_true, weights=sample_weight))
        return Curve(thresholds, -total[ends], prevalence)

    def _shown(self, outcome: str) -> str:
        """Return the cost of an outcome as it was given."""
        cost = self._four()[outcome]
        positive = getattr(self, "positive_row_", None if self.cost_matrix is None else 1)
        if positive is None:
            return f"{outcome}={cost!r}"
        row = positive if outcome in ("fp", "tp") else 1 - positive
        column = positive if outcome in ("fn", "tp") else 1 - positive
        return f"{outcome} = cost_matrix[{row}, {column}] = {cost!r}"

    def _four(self) -> dict[str, Any]:
        """Return the costs of the four outcomes; without `for_classes`, negative comes first."""
        if self.cost_matrix is not None:
            return _outcomes(check_cost_matrix(self.cost_matrix, 2, "LowestCost"))
        return {name: getattr(self, name) for name in _USUAL}

    def _costs(
        self, y_true: BoolArray, row_values: dict[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Cost of each row if alerted, and if left alone."""
        fp, fn, tp, tn = (
            row_values[cost] if isinstance(cost, str) else float(cost)
            for cost in self._four().values()
        )
        return np.where(y_true, tp, fp), np.where(y_true, fn, tn)

    def _check(self) -> None:
        """Refuse parameters that no data could make valid."""
        if not isinstance(self.decision, str) or self.decision not in (
            "threshold",
            "expected_loss",
        ):
            rule = "decision must be 'threshold' or 'expected_loss'"
            raise InvalidParameterError(message("LowestCost", rule, self.decision))
        for name, usual in _USUAL.items():
            cost = getattr(self, name)
            number = isinstance(cost, Real) and not isinstance(cost, bool | np.bool_)
            if not isinstance(cost, str) and not (number and np.isfinite(float(cost))):
                rule = f"{name} must be a finite number, or the name of values for each row"
                todo = "Write a large number for an error that must not happen"
                if np.ndim(cost):
                    todo = f"Write {name}='amount' and call fit(X, y, amount=...)"
                raise InvalidParameterError(message("LowestCost", rule, cost, todo))
            if self.cost_matrix is not None and cost != usual:
                rule = "either cost_matrix or the costs of outcomes may be given"
                raise InvalidParameterError(
                    message("LowestCost", rule, f"cost_matrix and {name}={cost!r}")
                )


def _outcomes(matrix: FloatArray) -> dict[str, Any]:
    """Costs of the four outcomes, in the order of `_USUAL`, where the negative class is first."""
    (tn, fn), (fp, tp) = matrix.tolist()
    return {"fp": fp, "fn": fn, "tp": tp, "tn": tn}
