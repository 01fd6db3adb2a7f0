"""One fold of a cross-validation: the path on its training rows, scored on its test rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import gen_batches

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.ordinal._classes import class_factors
from imbkit.ordinal._crossing import probabilities
from imbkit.ordinal._design import Design
from imbkit.ordinal._fold_scores import ALIASES, SCORES
from imbkit.ordinal._links import LINKS
from imbkit.ordinal._path import Path, follow
from imbkit.ordinal._penalty import Penalty
from imbkit.ordinal._presto import PRESTOClassifier
from imbkit.ordinal._problem import Problem
from imbkit.ordinal._solve import null_model, solve_path

__all__ = ["Rows", "fold_path"]

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
            # Rows of weight 0 are left out, so that no table has to be cut out before.
            weights = weights * np.bincount(rows, minlength=len(weights))
        mass = np.bincount(self.codes, weights, len(self.classes))
        who = type(model).__name__
        factors = class_factors(model.class_weight, self.classes, mass, who)[self.codes]
        design = Design.of(self.X, self.codes, weights * factors, len(self.classes))
        return Problem(design, LINKS[model.link])


def fold_path(
    data: Rows,
    model: PRESTOClassifier,
    train: IntArray,
    test: IntArray,
    grids: Mapping[float, FloatArray],
    scoring: str | Callable[..., float],
    score_params: Mapping[str, Any],
) -> tuple[FloatArray, BoolArray]:
    """Return the scores of a fold for every penalty, and which fits did not converge.

    Parameters
    ----------
    data : Rows
        All rows.
    model : PRESTOClassifier
        Its parameters, but for `alpha` and `l1_ratio`.
    train, test : ndarray of int
        Positions.
    grids : mapping of float to ndarray of shape (n_alphas,)
        The penalties for each `l1_ratio`, from the largest to the smallest.
    scoring : str or callable
        A name of `SCORES`, or ``scorer(fitted, X, y, **score_params)``.
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
    X = data.X[test]
    scores, failed = [], []
    for l1_ratio, alphas in grids.items():
        model = clone(model).set_params(l1_ratio=l1_ratio)
        path = path_of(model, problem, alphas)
        failed.append(~path.converged)
        if isinstance(scoring, str):
            scores.append(_proper(scoring, path, model, X, data.codes[test], data.weights[test]))
        else:
            y = data.classes[data.codes[test]]
            fitted = _fitted(path, model, alphas, data.classes)
            scores.append([scoring(each, X, y, **score_params) for each in fitted])
    return np.array(scores, dtype=np.float64), np.array(failed)
