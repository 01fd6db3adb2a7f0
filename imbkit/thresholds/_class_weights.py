"""Which of several classes to predict: weights of the classes that are best by an objective."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, shorten
from imbkit._core.rng import child_generators
from imbkit._core.types import FloatArray, IntArray, Seed
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.thresholds._class_moves import Moves
from imbkit.thresholds._class_objectives import ClassObjective, cost_objective, metric_objective

__all__ = ["ClassDecision", "best_weights", "cost_objective", "metric_objective"]

# Values of an objective that differ by this share of their size are equal but for rounding.
_SLACK = 2.0**-42
# Breakpoints this close to each other, relative to their size, count as one: between them no
# weight is certain to put the same rows on either side after rounding.
_GAP = 16 * np.finfo(float).eps
# How far the largest weight may be above the smallest: as far as no product that decides a
# row can underflow.
_REACH = 2.0**1000
_BLOCK = 8192  # rows whose scores are compared at a time
_SHOWN = 8  # classes whose weights are printed


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClassDecision:
    """A rule that predicts one of several classes from their probabilities.

    The class with the largest ``weight * probability`` is predicted, or with `cost` the one
    of least expected cost under the weighted probabilities; of equally good classes the
    first.

    Parameters
    ----------
    weights : array-like of shape (n_classes,), default=None
        Weights of the classes, finite, none negative and not all zero; one for each if None.
    cost : array-like of shape (n_classes, n_classes), default=None
        ``cost[i, j]`` is the cost of predicting class i when the truth is class j.
    name : str, default=""
        What `value` measures, e.g. ``"f1_macro"``.
    value : float, default=nan
        The objective where the weights were chosen, larger being better.
    classes : sequence of labels, default=None
        What to call the classes when printing.
    greater_is_better : bool, default=True
        Direction of what `name` measures; where False, the negative of `value` is printed.

    See Also
    --------
    Rule : The decision between two classes.

    Notes
    -----
    O(n K) for weights, O(n K^2) for a cost matrix. Multiplying all weights by one number
    changes nothing.

    Examples
    --------
    >>> from imbkit.thresholds import ClassDecision
    >>> decision = ClassDecision([1.0, 2.5, 1.0], classes=("fine", "late", "lost"))
    >>> decision
    ClassDecision(weights {'fine': 1, 'late': 2.5, 'lost': 1})
    >>> decision([[0.6, 0.3, 0.1], [0.7, 0.1, 0.2]]).tolist()
    [1, 0]
    >>> ClassDecision(cost=[[0, 9, 9], [1, 0, 1], [1, 1, 0]])([[0.9, 0.02, 0.08]]).tolist()
    [0]
    """

    weights: FloatArray | None = None
    cost: FloatArray | None = None
    name: str = ""
    value: float = np.nan
    classes: tuple[Any, ...] | None = None
    greater_is_better: bool = True

    def __post_init__(self) -> None:
        """Refuse what decides nothing, and keep the arrays as they are now."""
        if self.weights is None and self.cost is None:
            rule = "a decision needs weights of the classes, a matrix of costs, or both"
            raise InvalidParameterError(message("ClassDecision", rule, "neither"))
        sizes = set() if self.classes is None else {len(self.classes)}
        if self.weights is not None:
            weights = np.array(self.weights, dtype=float)
            good = weights.ndim == 1 and np.isfinite(weights).all() and (weights >= 0).all()
            if not good or not weights.any():
                rule = "weights must be finite, one a class, none negative and not all zero"
                raise InvalidParameterError(message("ClassDecision", rule, weights.tolist()))
            weights.flags.writeable = False
            object.__setattr__(self, "weights", weights)
            sizes.add(weights.size)
        if self.cost is not None:
            cost = np.array(self.cost, dtype=float)
            if cost.ndim != 2 or cost.shape[0] != cost.shape[1] or not np.isfinite(cost).all():
                rule = "cost must be a finite square matrix, predicted classes on axis 0"
                raise InvalidParameterError(message("ClassDecision", rule, f"shape {cost.shape}"))
            cost.flags.writeable = False
            object.__setattr__(self, "cost", cost)
            sizes.add(len(cost))
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(np.asarray(self.classes).tolist()))
        if len(sizes) > 1:
            rule = "weights, cost and classes must be for the same number of classes"
            raise InvalidParameterError(message("ClassDecision", rule, sorted(sizes)))

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.cost if self.weights is None else self.weights)  # type: ignore[arg-type]

    def __call__(self, probabilities: ArrayLike) -> IntArray:
        """Say which class each row is predicted as.

        Parameters
        ----------
        probabilities : array-like of shape (n_rows, n_classes)
            Probabilities, or any non-negative numbers in proportion to them.

        Returns
        -------
        ndarray of int, shape (n_rows,)
            Positions of the classes, from 0.
        """
        P = np.asarray(probabilities, dtype=float)
        if P.ndim != 2 or P.shape[1] != self.n_classes:
            rule = f"probabilities must have one column for each of the {self.n_classes} classes"
            raise DataError(message("ClassDecision", rule, f"shape {P.shape}"))
        if np.isnan(P).any():
            todo = "Look for missing values or overflow in the estimator's output"
            raise DataError(message("ClassDecision", "probabilities must not be NaN", todo=todo))
        scores = P if self.weights is None else P * self.weights
        if self.cost is None:
            return np.asarray(scores.argmax(axis=1))
        return np.asarray((scores @ self.cost.T).argmin(axis=1))

    def __repr__(self) -> str:
        parts = []
        if self.weights is not None:
            names = range(self.n_classes) if self.classes is None else self.classes
            pairs = list(zip(names, self.weights, strict=True))
            shown = [f"{shorten(name)}: {weight:.4g}" for name, weight in pairs[:_SHOWN]]
            if len(pairs) > _SHOWN:
                shown.append(f"... {len(pairs) - _SHOWN} more")
            parts.append(f"weights {{{', '.join(shown)}}}")
        if self.cost is not None:
            parts.append(f"least expected cost of {self.n_classes} classes")
        if self.name:
            value = self.value if self.greater_is_better else -self.value
            parts.append(f"{self.name}={value:.4g}")
        return f"ClassDecision({', '.join(parts)})"


def best_weights(
    codes: ArrayLike,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None,
    objective: ClassObjective,
    *,
    n_restarts: int = 3,
    random_state: Seed = None,
    classes: Sequence[Any] | None = None,
) -> ClassDecision:
    """Find weights of the classes under which the decisions are best.

    Parameters
    ----------
    codes : array-like of int, shape (n_rows,)
        Position of each row's class, from 0.
    probabilities : array-like of shape (n_rows, n_classes)
        Probabilities of rows that the estimator has not seen, or any finite non-negative
        numbers in proportion to them.
    sample_weight : array-like of shape (n_rows,) or None
        Non-negative weights; rows without weight are as good as absent.
    objective : ClassObjective
        What is best, e.g. from :func:`metric_objective`.
    n_restarts : int, default=3
        Number of starts: equal weights, then the inverse of the classes' shares, then random
        weights around and between the two.
    random_state : int, RandomState, Generator or None, default=None
        Draws the random starts; not used for up to two.
    classes : sequence of labels, default=None
        What to call the classes when printing.

    Returns
    -------
    ClassDecision
        The weights, with the objective that they attain on these rows. They are scaled by a
        power of two, which changes no decision, so that the largest is in [1, 2).

    Raises
    ------
    DataError
        If codes, probabilities and weights do not fit together, or the objective is not
        defined for any decisions that were tried.
    InvalidParameterError
        If `n_restarts` is not a positive integer.

    Notes
    -----
    Coordinate ascent. For class k with the other weights fixed, row i is predicted as k from
    the weight max over j != k of u_j p_ij / p_ik on (never where p_ik = 0). These breakpoints
    are sorted and the objective is evaluated between each two of them, so that every step is
    the exact optimum over one weight; of several best intervals the widest run is taken, and
    its centre, both in terms of the logarithm. A step is made only if it improves the
    objective beyond rounding; after K steps in turn that do not, no single weight can be
    improved. With two classes that is the global optimum. With more it need not be: the
    result is the best over the restarts and never worse than that of the plain argmax.

    Weights at which a row is tied between two classes are not considered: they decide by the
    last bit. A step costs O(n (K + log n)); O(n K) memory.

    References
    ----------
    S. J. Wright, "Coordinate descent algorithms", Mathematical Programming 151, 2015,
    doi:10.1007/s10107-015-0892-3.
    """
    if isinstance(n_restarts, bool) or not isinstance(n_restarts, int | np.integer):
        n_restarts = 0
    if n_restarts < 1:
        rule = "n_restarts must be an integer of 1 or more"
        raise InvalidParameterError(message("best_weights", rule, n_restarts))
    search = _Search(*_checked(codes, probabilities, sample_weight), objective)
    best, best_value = None, -np.inf
    for start in search.starts(int(n_restarts), random_state):
        weights, value = search.ascend(start)
        if value > best_value + _SLACK * abs(value):
            best, best_value = weights, value
    if best is None:
        rule = f"{objective.name} must be defined for some decisions"
        todo = "Check that every class has rows"
        raise DataError(message("best_weights", rule, "NaN for all that were tried", todo))
    return ClassDecision(
        best,
        name=objective.name,
        value=best_value,
        classes=None if classes is None else tuple(classes),
        greater_is_better=objective.greater_is_better,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """Weights, and what they decide.

    Parameters
    ----------
    weights : ndarray of shape (n_classes,)
        Weights of the classes.
    highest : ndarray of shape (n_rows,)
        The highest weighted probability of each row.
    guess : ndarray of int, shape (n_rows,)
        The class that has it.
    value : float
        The objective; -inf where it is not defined.
    """

    weights: FloatArray
    highest: FloatArray
    guess: IntArray
    value: float


class _Search:
    """The rows that weights are chosen on, and the steps of the ascent.

    Parameters
    ----------
    truth : ndarray of int, shape (n_rows,)
        Position of each row's class.
    columns : ndarray of shape (n_classes, n_rows)
        Probabilities, one row a class.
    weight : ndarray of shape (n_rows,)
        Positive weights.
    objective : ClassObjective
        What is best.
    """

    def __init__(
        self, truth: IntArray, columns: FloatArray, weight: FloatArray, objective: ClassObjective
    ) -> None:
        self.truth = truth
        self.columns = columns
        self.weight = weight
        self.objective = objective
        self.n_classes = len(columns)

    def starts(self, n_restarts: int, random_state: Seed) -> list[FloatArray]:
        """Weights to start from."""
        support = np.bincount(self.truth, self.weight, self.n_classes)
        # A class without a row starts like the rarest one that has some.
        support[support == 0] = support[support > 0].min()
        inverse = support.sum() / support
        starts = [np.ones(self.n_classes), inverse][:n_restarts]
        if n_restarts > 2:
            for stream in child_generators(random_state, n_restarts - 2):
                # Near and far from both: far ones may be the only way to the optimum.
                noise = 2.0 * stream.random() * stream.standard_normal(self.n_classes)
                starts.append(inverse ** stream.random() * np.exp(noise))
        return [_scaled(start) for start in starts]

    def ascend(self, weights: FloatArray) -> tuple[FloatArray, float]:
        """Improve one weight at a time, until none can be; the weights and their value."""
        now = self.standing(weights)
        k, unimproved = 0, 0
        while unimproved < self.n_classes:
            unimproved += 1
            better = self.step(now, k)
            if better is not None:
                now, unimproved = better, 1
            k = (k + 1) % self.n_classes
        return now.weights, now.value

    def standing(self, weights: FloatArray) -> "_Standing":
        """Decide by some weights."""
        highest, guess = self._highest(weights, self.columns)
        value = self.objective.value(self._confusion(guess, slice(None)))
        return _Standing(weights, highest, guess, -np.inf if np.isnan(value) else value)

    def step(self, now: "_Standing", k: int) -> "_Standing | None":
        """Where the best weight of class k leads, if that is better."""
        points, moves = self.moves(now, k)
        best = _best_point(points, self.objective.along(moves), now.value)
        if best is None:
            return None
        weights = now.weights.copy()
        weights[k] = best
        after = self.standing(_scaled(weights))
        return after if _improves(after.value, now.value) else None

    def moves(self, now: "_Standing", k: int) -> tuple[FloatArray, Moves]:
        """Ascending weights of class k at which rows go over to it, and these rows."""
        highest, source = now.highest.copy(), now.guess.copy()
        own = np.flatnonzero(source == k)
        highest[own], source[own] = self._highest(now.weights, self.columns[:, own], without=k)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            points = highest / self.columns[k]
        others = np.delete(now.weights, k)
        low, high = others.max() / _REACH, others.min() * _REACH
        moving = (points >= low) & (points <= high)
        if moving.all():
            stay: FloatArray = np.zeros((self.n_classes, self.n_classes))
            order = np.argsort(points)
        else:
            # Below the reach a row is always of class k. Where 0 is divided by 0 no class has
            # a probability, and the first one is predicted.
            always = (points < low) | (np.isnan(points) & (k == 0))
            stay = self._confusion(np.where(always, k, source), ~moving)
            moving = np.flatnonzero(moving)
            order = moving[np.argsort(points[moving])]
        return points[order], Moves(k, stay, source[order], self.truth[order], self.weight[order])

    def _highest(
        self, weights: FloatArray, columns: FloatArray, without: int = -1
    ) -> tuple[FloatArray, IntArray]:
        """The highest weighted probability of each row, and its class; of equal ones the first."""
        n_rows = columns.shape[1]
        highest = np.full(n_rows, -1.0)
        where = np.zeros(n_rows, dtype=self.truth.dtype)
        # In blocks that stay in the processor's cache.
        for low in range(0, n_rows, _BLOCK):
            block = slice(low, low + _BLOCK)
            top, which = highest[block], where[block]
            for j in range(self.n_classes):
                if j != without:
                    score = weights[j] * columns[j, block]
                    # A later class has a larger number, so that the maximum replaces it.
                    later = (score > top).astype(which.dtype) * which.dtype.type(j)
                    np.maximum(which, later, out=which)
                    np.maximum(top, score, out=top)
        return highest, where

    def _confusion(self, guess: IntArray, rows: Any) -> FloatArray:
        """Weight of some rows, predicted classes on axis 0."""
        cell = np.multiply(guess[rows], self.n_classes, dtype=np.intp) + self.truth[rows]
        table = np.bincount(cell, self.weight[rows], self.n_classes**2)
        return np.asarray(table.reshape(self.n_classes, self.n_classes))


def _best_point(points: FloatArray, values: FloatArray, current: float) -> float | None:
    """Centre of the widest run of intervals between points whose value is best.

    None where no value is better than the current one. ``values[t]`` holds from
    ``points[t - 1]`` to ``points[t]``, both ascending.
    """
    if not points.size:
        return None
    apart = np.ones(values.size, dtype=bool)
    apart[1:-1] = points[1:] > points[:-1] * (1.0 + _GAP)
    interval = np.flatnonzero(apart)
    best = float(np.fmax.reduce(values[interval]))
    if np.isnan(best) or not _improves(best, current):
        return None
    attained = np.concatenate(([False], values[interval] >= best - _SLACK * abs(best), [False]))
    edges = np.flatnonzero(attained[1:] != attained[:-1])
    first, last = interval[edges[::2]], interval[edges[1::2] - 1]
    # An interval that is open at one end is as wide as what lies between points.
    floor, ceiling = points[np.maximum(first - 1, 0)], points[np.minimum(last, points.size - 1)]
    width = np.log(ceiling) - np.log(floor)
    widest = int(width.argmax())
    lowest, highest = int(first[widest]), int(last[widest])
    centre = float(np.sqrt(floor[widest]) * np.sqrt(ceiling[widest]))
    inner = interval[(interval >= max(lowest, 1)) & (interval <= min(highest, points.size - 1))]
    if not inner.size:
        return float(points[0]) / 2 if lowest == 0 else float(points[-1]) * 2
    if np.abs(points - centre).min() > _GAP / 4 * centre:
        return centre
    # Some row's own breakpoint is at the centre: take the widest of the intervals instead.
    inner = inner[np.argmax(np.log(points[inner]) - np.log(points[inner - 1]))]
    return float(np.sqrt(points[inner - 1]) * np.sqrt(points[inner]))


def _improves(value: float, current: float) -> bool:
    """Whether a value is better beyond rounding."""
    if np.isnan(value) or value == -np.inf:
        return False
    return current == -np.inf or value - current > _SLACK * max(abs(value), abs(current))


def _scaled(weights: FloatArray) -> FloatArray:
    """Multiply by the power of two, without rounding, that puts the largest in [1, 2)."""
    _, exponent = np.frexp(weights.max())
    return np.asarray(np.ldexp(weights, 1 - int(exponent)))


def _checked(
    codes: ArrayLike, probabilities: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Codes, probabilities with one row a class, and weights, of the rows that have some."""
    who = "best_weights"
    P = np.asarray(probabilities)
    truth = np.asarray(codes)
    if P.ndim != 2 or P.shape[1] < 2 or truth.shape != P.shape[:1] or not truth.size:
        rule = "codes and probabilities must have as many rows, and at least two columns"
        raise DataError(message(who, rule, f"shapes {truth.shape} and {P.shape}"))
    if truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= P.shape[1]:
        rule = f"codes must be integers from 0 to {P.shape[1] - 1}, one class a column"
        raise DataError(message(who, rule, f"{truth.min()} to {truth.max()}"))
    weight = check_weight(sample_weight, truth.size, who)
    if weight is not None:
        present = weight > 0
        truth, P, weight = truth[present], P[present], weight[present]
    columns = np.ascontiguousarray(P.T, dtype=float)
    if not (columns >= 0).all() or not np.isfinite(columns).all():
        rule = "probabilities must be finite and not negative"
        todo = "Take predict_proba rather than decision_function"
        raise DataError(message(who, rule, float(P[~((P >= 0) & (P < np.inf))][0]), todo))
    weight = np.ones(truth.size) if weight is None else weight
    return truth.astype(np.min_scalar_type(len(columns))), columns, weight
