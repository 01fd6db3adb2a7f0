"""What decisions between several classes are judged by, also along rows that change class."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message
from imbkit._core.types import BoolArray, FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, Counts, get_metric
from imbkit.thresholds._class_moves import Moves, fields, one_against_rest

__all__ = ["Average", "ClassObjective", "cost_objective", "metric_objective"]

Average = Literal["auto", "macro", "micro", "weighted", "multiclass"]

# Entries of a table of classes by cut-offs that are worked on at a time: a few megabytes.
_CHUNK = 1 << 17


class ClassObjective(ABC):
    """What to maximise; a function of the confusion matrix.

    Parameters
    ----------
    name : str
        What it measures.
    greater_is_better : bool, default=True
        Direction of what it measures; the objective itself is always maximised.
    """

    def __init__(self, name: str, greater_is_better: bool = True) -> None:
        self.name = name
        self.greater_is_better = greater_is_better

    @abstractmethod
    def value(self, confusion: FloatArray) -> float:
        """Return the objective of one table of decisions.

        Parameters
        ----------
        confusion : ndarray of shape (n_classes, n_classes)
            Weight of the rows predicted as class i (axis 0) whose class is j (axis 1).

        Returns
        -------
        float
            Larger is better; NaN where it is not defined.
        """

    @abstractmethod
    def along(self, moves: Moves) -> FloatArray:
        """Return the objective before any row has moved, and after each move.

        Parameters
        ----------
        moves : Moves
            Which rows go over to a class, in order.

        Returns
        -------
        ndarray of shape (n_moves + 1,)
            Larger is better; NaN where it is not defined.
        """


def metric_objective(
    metric: str | CountMetric | Callable[..., Any],
    average: Average = "auto",
    **parameters: Any,
) -> ClassObjective:
    """Return the objective that a metric of several classes is.

    Parameters
    ----------
    metric : str, count metric or callable
        A name, a metric of :mod:`imbkit.metrics`, or any ``f(tp, fp, fn, tn)`` of one class
        against the rest that takes arrays of one shape and returns one, larger being better.
    average : {"auto", "macro", "micro", "weighted", "multiclass"}, default="auto"
        As a count metric takes it: the mean over classes, that mean weighted by the rows of
        each class, the counts of all classes added up, or the formula over all classes at
        once. "auto" is "multiclass" where the metric has it, otherwise "macro".
    **parameters
        Keyword parameters of a count metric, e.g. ``beta``.

    Returns
    -------
    ClassObjective
        Its value is the metric's own when called with labels and predictions: a class counts
        where it occurs in either. It is negated where smaller is better.

    Raises
    ------
    InvalidParameterError
        If there is no such metric, average or parameter.

    Notes
    -----
    Along n moves an average costs O(n + K) evaluations of the formula, because only two
    classes change at a time; a formula over all classes at once costs O(n K), in chunks.
    NaN of a count metric (``zero_division=nan``) leaves a class out of the mean; where a
    callable gives NaN for a class that occurs, the decisions are not considered.
    """
    try:
        counted = get_metric(metric)
    except InvalidParameterError:
        if not callable(metric) or isinstance(metric, type):
            raise
        return _of_function(metric, average, parameters)
    joint = counted.over == "classes"
    allowed = ["auto", "macro", "micro", "weighted", *(["multiclass"] if joint else [])]
    if average not in allowed:
        rule = f"average of {counted.name} must be one of {listing(allowed)}"
        raise InvalidParameterError(message("metric_objective", rule, average))
    # Wrong parameters show here, before anything is computed.
    counted.of(one_against_rest(np.eye(2)), **parameters)
    kind = average if average != "auto" else "multiclass" if joint else "macro"
    name = counted.name if kind == "multiclass" else f"{counted.name}_{kind}"
    formula = partial(counted.of_classes if kind == "multiclass" else counted.of, **parameters)
    if kind == "multiclass":
        return _Joint(name, counted.greater_is_better, formula)
    if kind == "micro":
        return _Summed(name, counted.greater_is_better, formula)
    return _Averaged(name, counted.greater_is_better, formula, kind, skips_nan=True)


def cost_objective(matrix: ArrayLike) -> ClassObjective:
    """Return the negative total cost of decisions as an objective.

    Parameters
    ----------
    matrix : array-like of shape (n_classes, n_classes)
        ``matrix[i, j]`` is the cost of predicting class i when the truth is class j.

    Returns
    -------
    ClassObjective
        Its name is "cost"; n moves take O(n).

    Raises
    ------
    InvalidParameterError
        If the matrix is not square or not finite.
    """
    cost = np.array(matrix, dtype=float)
    if cost.ndim != 2 or cost.shape[0] != cost.shape[1] or not np.isfinite(cost).all():
        rule = "a cost matrix must be square and finite, predicted classes on axis 0"
        raise InvalidParameterError(message("cost_objective", rule, f"shape {cost.shape}"))
    return _Cost(cost)


class _Averaged(ClassObjective):
    """The mean over classes of a formula for one class against the rest."""

    def __init__(
        self,
        name: str,
        greater_is_better: bool,
        formula: Callable[[Counts], FloatArray],
        kind: str,
        skips_nan: bool,
    ) -> None:
        super().__init__(name, greater_is_better)
        self.formula = formula
        self.kind = kind
        self.skips_nan = skips_nan

    def value(self, confusion: FloatArray) -> float:
        counts = one_against_rest(confusion)
        values = self.formula(counts)
        terms = self._terms(values, counts, self._shares(confusion.sum(axis=0)))
        total, mass, forbids = (np.atleast_1d(term.sum()) for term in terms)
        return float(self._mean(total, mass, forbids)[0])

    def along(self, moves: Moves) -> FloatArray:
        states, support = moves.states(), moves.support
        shares = self._shares(support)
        others, target = self.formula(states.others), self.formula(states.target)
        share = shares[moves.target]
        sources = np.repeat(shares, states.sizes)
        undefined = bool(np.isnan(others).any() or np.isnan(target).any())
        if (support > 0).all() and not undefined:
            # Every class counts everywhere: the usual case, in which only the sum changes.
            total = states.added_up(others * sources, target * share)
            return self._signed(total / shares.sum())
        pairs = zip(
            self._terms(others, states.others, sources),
            self._terms(target, states.target, share),
            strict=True,
        )
        return self._mean(*(states.added_up(other, own) for other, own in pairs))

    def _shares(self, support: FloatArray) -> FloatArray:
        return support if self.kind == "weighted" else np.ones(support.size)

    def _terms(
        self, values: FloatArray, counts: Counts, share: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sum of the mean, its weight, and how many classes forbid a mean."""
        occurs = _occurs(counts)
        defined = occurs & ~np.isnan(values)
        forbids = np.zeros(values.shape) if self.skips_nan else (occurs & ~defined) * 1.0
        return np.where(defined, values, 0.0) * share, defined * share, forbids

    def _mean(self, total: FloatArray, mass: FloatArray, forbids: FloatArray) -> FloatArray:
        allowed = (mass > 0) & (forbids < 0.5)
        mean = np.full(total.shape, np.nan)
        np.divide(total, mass, out=mean, where=allowed)
        return self._signed(mean)

    def _signed(self, values: FloatArray) -> FloatArray:
        return values if self.greater_is_better else -values


class _Joint(ClassObjective):
    """A formula over all classes at once."""

    def __init__(
        self, name: str, greater_is_better: bool, formula: Callable[[Counts], FloatArray]
    ) -> None:
        super().__init__(name, greater_is_better)
        self.formula = formula

    def value(self, confusion: FloatArray) -> float:
        return float(self._of(_part(one_against_rest(confusion), ..., np.newaxis))[0])

    def along(self, moves: Moves) -> FloatArray:
        n_columns = max(1, _CHUNK // len(moves.stay))
        return np.concatenate([self._of(t) for t in moves.states().tables(n_columns)])

    def _of(self, counts: Counts) -> FloatArray:
        """The formula over the classes that occur, which are few patterns over the columns."""
        occurs = _occurs(counts)
        if occurs.all():
            values = self.formula(counts)
        else:
            changes = (occurs[:, 1:] != occurs[:, :-1]).any(axis=0)
            cuts = [0, *(np.flatnonzero(changes) + 1).tolist(), occurs.shape[1]]
            parts = [
                self.formula(_part(_part(counts, ..., slice(low, high)), occurs[:, low], ...))
                for low, high in itertools.pairwise(cuts)
            ]
            values = np.concatenate(parts)
        return values if self.greater_is_better else -values


class _Summed(ClassObjective):
    """A formula over the counts of all classes added up."""

    def __init__(
        self, name: str, greater_is_better: bool, formula: Callable[[Counts], FloatArray]
    ) -> None:
        super().__init__(name, greater_is_better)
        self.formula = formula

    def value(self, confusion: FloatArray) -> float:
        right = np.trace(confusion)
        wrong = (confusion * (1.0 - np.eye(len(confusion)))).sum()
        occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
        return float(self._of(np.array([right]), np.array([wrong]), occurs.sum())[0])

    def along(self, moves: Moves) -> FloatArray:
        same = np.eye(len(moves.stay))
        right, wrong = moves.added_up(same), moves.added_up(1.0 - same)
        occurring: FloatArray | int = len(moves.stay)
        if not (moves.support > 0).all():
            states = moves.states()
            occurring = states.added_up(1.0 * _occurs(states.others), 1.0 * _occurs(states.target))
        return self._of(right, wrong, occurring)

    def _of(self, right: FloatArray, wrong: FloatArray, occurring: Any) -> FloatArray:
        # A row is a true negative for every class but the one it is in and the one it is put in.
        tn = np.maximum((occurring - 2) * (right + wrong) + right, 0.0)
        values = self.formula(Counts(tp=right, fp=wrong, fn=wrong, tn=tn))
        return values if self.greater_is_better else -values


class _Cost(ClassObjective):
    """The negative total of a cost a row."""

    def __init__(self, matrix: FloatArray) -> None:
        super().__init__("cost", greater_is_better=False)
        self.matrix = matrix

    def value(self, confusion: FloatArray) -> float:
        if self.matrix.shape != confusion.shape:
            rule = f"the cost matrix must be {len(confusion)} x {len(confusion)} for these classes"
            raise InvalidParameterError(
                message("cost_objective", rule, f"shape {self.matrix.shape}")
            )
        return -float((self.matrix * confusion).sum())

    def along(self, moves: Moves) -> FloatArray:
        return -moves.added_up(self.matrix)


def _of_function(
    function: Callable[..., Any], average: Average, parameters: dict[str, Any]
) -> ClassObjective:
    """The mean over classes of a function of four counts."""
    if parameters or average not in ("auto", "macro", "weighted"):
        rule = "of a function f(tp, fp, fn, tn) a mean over the classes is taken"
        got = listing(parameters) if parameters else f"average={average!r}"
        todo = "Make it a count metric with imbkit.metrics.count_metric"
        raise InvalidParameterError(message("metric_objective", rule, got, todo))
    name = str(getattr(function, "__name__", ""))
    name = name if name.isidentifier() else "objective"
    kind = "weighted" if average == "weighted" else "macro"
    return _Averaged(f"{name}_{kind}", True, partial(_plain, function), kind, skips_nan=False)


def _plain(function: Callable[..., Any], counts: Counts) -> FloatArray:
    """Call a function of four counts as a formula."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(function(counts.tp, counts.fp, counts.fn, counts.tn), dtype=float)
    if values.shape != counts.tp.shape:
        rule = f"the metric must return one value for each of the {counts.tp.size:,} counts"
        raise InvalidParameterError(message("metric_objective", rule, f"shape {values.shape}"))
    return values


def _occurs(counts: Counts) -> BoolArray:
    """Whether a class has a row or is predicted for one."""
    return np.asarray((counts.positives + counts.alerts) > 0)


def _part(counts: Counts, rows: Any, columns: Any) -> Counts:
    """Index all four counts."""
    return Counts(*(field[rows, columns] for field in fields(counts)))
