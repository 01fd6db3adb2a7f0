"""One fold of a cross-validation: the path on its training rows, scored on its test rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import gen_batches

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.ordinal._classes import class_factors
from imbkit.ordinal._crossing import probabilities
from imbkit.ordinal._design import Design
from imbkit.ordinal._fold_scores import row_scores
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._path import Path, Settings, follow
from imbkit.ordinal._presto import PRESTOClassifier
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import null_model

__all__ = ["Rows", "fold_path"]

_ROWS = 8192  # rows that are scored at a time
_CELLS = 2**20  # scores of boundaries that are held at a time: 8 MiB


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a cross-validation, read.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_rows, n_features)
        Columns as given.
    codes : ndarray of int, shape (n_rows,)
        The class of each row.
    weights : ndarray of shape (n_rows,)
        Sample weights, without factors of classes.
    classes : ndarray of shape (n_classes,)
        Labels in their order.
    """

    X: Any
    codes: IntArray
    weights: FloatArray
    classes: AnyArray

    def problem(self, model: PRESTOClassifier, rows: IntArray | None = None) -> Problem:
        """Return the loss on some rows, standardised and weighted by themselves.

        Parameters
        ----------
        model : PRESTOClassifier
            Whose link and factors of classes to take.
        rows : ndarray of int, default=None
            Positions; one that is repeated counts as often. None stands for all.
        """
        weights = self.weights
        if rows is not None:
            # Rows of weight 0 are left out, so that no table need be cut out first.
            weights = weights * np.bincount(rows, minlength=len(weights))
        mass = np.bincount(self.codes, weights, len(self.classes))
        factors = class_factors(model.class_weight, self.classes, mass, type(model).__name__)
        weights = weights * factors[self.codes]
        return Problem(Design.of(self.X, self.codes, weights, len(self.classes)), LINKS[model.link])


def fold_path(
    data: Rows,
    model: PRESTOClassifier,
    train: IntArray,
    test: IntArray,
    grids: Sequence[tuple[float, FloatArray]],
    scoring: str | Callable[..., float],
    score_params: Mapping[str, Any],
) -> tuple[FloatArray, BoolArray]:
    """Return the scores of a fold for every penalty, and which fits missed the optimum.

    Parameters
    ----------
    data : Rows
        All rows.
    model : PRESTOClassifier
        Its parameters, but for `alpha` and `l1_ratio`.
    train, test : ndarray of int
        Positions.
    grids : sequence of pairs of float and ndarray of shape (n_alphas,)
        Each `l1_ratio` and its penalties, from the largest to the smallest.
    scoring : str or callable
        A score of `_fold_scores`, or ``scorer(fitted, X, y, **score_params)``.
    score_params : mapping
        Arguments of the scorer, cut to the test rows.

    Returns
    -------
    ndarray of shape (n_l1_ratios, n_alphas)
        Larger is better.
    ndarray of bool, shape (n_l1_ratios, n_alphas)
        Whether the optimum was missed.
    """
    problem = data.problem(model, train)
    X, codes, weights = data.X[test], data.codes[test], data.weights[test]
    scores, failed = [], []
    for l1_ratio, alphas in grids:
        model = clone(model).set_params(l1_ratio=l1_ratio)
        penalty = model._penalty(problem.design)
        null = null_model(problem, penalty, tol=model.tol, max_iter=model.max_iter)
        how = Settings(model.solver, model.tol, model.max_iter)
        path = follow(problem, penalty, alphas, null, how)
        failed.append(~path.converged)
        if isinstance(scoring, str):
            scores.append(_proper_scores(scoring, path, model, X, codes, weights))
        else:
            y, fitted = data.classes[codes], _fitted(path, model, alphas, data.classes)
            found = [_number(scoring(each, X, y, **score_params)) for each in fitted]
            scores.append(np.array(found))
    return np.array(scores, dtype=np.float64), np.array(failed)


def _number(score: Any) -> float:
    """Return what a scorer gave as a float, NaN if it is none, which is refused later."""
    try:
        return float(score)
    except (TypeError, ValueError):
        return float("nan")


def _proper_scores(
    name: str, path: Path, model: PRESTOClassifier, X: Any, codes: IntArray, weights: FloatArray
) -> FloatArray:
    """Return the mean score for each penalty; the rows go through all of them in blocks."""
    n_alphas, n_boundaries, n_columns = path.coefs.shape
    every = path.coefs.reshape(-1, n_columns).T
    total = np.zeros(n_alphas)
    for rows in gen_batches(len(codes), max(1, min(_ROWS, _CELLS // every.shape[1]))):
        linear = np.asarray(X[rows] @ every).reshape(-1, n_alphas, n_boundaries)
        for at, intercept in enumerate(path.intercepts):
            found = probabilities(-(linear[:, at] + intercept), model.crossing, LINKS[model.link])
            total[at] += weights[rows] @ row_scores(name, found, codes[rows])
    return np.asarray(total / weights.sum())


def _fitted(
    path: Path, model: PRESTOClassifier, alphas: FloatArray, classes: AnyArray
) -> Iterator[PRESTOClassifier]:
    """Yield a fitted classifier for each penalty."""
    parts = zip(alphas.tolist(), path.coefs, path.intercepts, path.n_iters.tolist(), strict=True)
    for alpha, coef, intercept, n_iter in parts:
        made = clone(model).set_params(alpha=alpha)
        made.classes_, made.n_features_in_ = classes, coef.shape[1]
        made.coef_, made.intercept_, made.n_iter_ = coef, intercept, n_iter
        made.delta_ = np.diff(coef, axis=0, prepend=0.0)
        yield made
