"""Responses of rows to estimators that have not seen them: the splits, the fits, the scores."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit, check_cv
from sklearn.utils.parallel import Parallel, delayed

from imbkit._core.containers import take
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, IntArray, Seed
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["FoldScores", "describe", "make_splits", "out_of_fold", "rows_of"]


@dataclass(frozen=True, slots=True)
class FoldScores:
    """Responses of rows that their estimator has not seen.

    Parameters
    ----------
    rows : ndarray of shape (n_test,)
        Positions of the rows.
    scores : ndarray of shape (n_test, ...)
        Their responses.
    estimator : estimator
        The fitted estimator, if it was asked for, else None.
    """

    rows: IntArray
    scores: AnyArray
    estimator: Any = None


def make_splits(
    cv: Any,
    X: Any,
    target: AnyArray,
    params: Mapping[str, Any],
    *,
    refit: bool,
    random_state: Seed,
    who: str,
) -> list[tuple[IntArray, IntArray]]:
    """Return the training and test positions of each fold.

    Parameters
    ----------
    cv : int, float, splitter or iterable
        A number of stratified folds (None means 5), the share of the rows in one stratified
        hold-out set, a splitter, or a list of (train, test) positions.
    X : table of n_rows rows
        Rows.
    target : ndarray of shape (n_rows,) or (n_rows, n_labels)
        Labels; of several labels a row the splits are not stratified.
    params : mapping
        Arguments of the splitter's ``split``.
    refit : bool
        Whether the estimator is fitted again; without it there can be one split only.
    random_state : int, RandomState or None
        Draws the hold-out set if `cv` is a share.
    who : str
        The class that messages speak for.

    Returns
    -------
    list of tuple of two ndarray
        Every training fold holds rows of every class.

    Raises
    ------
    DataError
        If a training fold lacks a class, a test fold is empty, or `cv` asks for more than
        the rows can give.
    InvalidParameterError
        If there are several splits and no refit.
    """
    if isinstance(cv, float):
        shuffle = StratifiedShuffleSplit if target.ndim == 1 else ShuffleSplit
        splitter = shuffle(1, test_size=cv, random_state=random_state)
    else:
        splitter = check_cv(cv, target, classifier=True)
    with warnings.catch_warnings():
        # Folds without a class are reported later, with what follows from them.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        try:
            splits = [
                (_positions(a), _positions(b)) for a, b in splitter.split(X, target, **params)
            ]
        except ValueError as error:
            rule = "the rows must suffice for the splits that cv asks for"
            raise DataError(message(who, rule, str(error).rstrip("."))) from error
    if not refit and len(splits) > 1:
        rule = "refit=False needs a single split, whose estimator is kept"
        todo = "Pass refit=True, or a share of the rows as cv"
        raise InvalidParameterError(message(who, rule, f"{len(splits)} splits", todo))
    _check_splits(splits, target, who)
    return splits


def out_of_fold(
    estimator: Any,
    X: Any,
    y: AnyArray,
    splits: Sequence[tuple[IntArray, IntArray]],
    *,
    score: Callable[[Any, Any], AnyArray],
    fit_params: Mapping[str, Any],
    n_jobs: int | None,
    keep: bool = False,
) -> list[FoldScores]:
    """Fit a clone on each training fold and let it respond to its test fold.

    Parameters
    ----------
    estimator : estimator
        Cloned for each split.
    X : table of n_rows rows
        Rows.
    y : ndarray of shape (n_rows,) or (n_rows, n_labels)
        Labels.
    splits : sequence of tuple of two ndarray
        Training and test positions, as `make_splits` returns them.
    score : callable
        ``score(fitted, X_test)`` gives one entry a row; it must be possible to pickle it.
    fit_params : mapping
        Arguments of ``fit``; those with one entry a row are cut.
    n_jobs : int or None
        Number of folds fitted at a time.
    keep : bool, default=False
        Whether to keep the fitted clones.

    Returns
    -------
    list of FoldScores
        One a split.
    """
    task = delayed(_fit_and_score)
    folds: list[FoldScores] = Parallel(n_jobs=n_jobs)(
        task(clone(estimator), X, y, train, test, dict(fit_params), score, keep)
        for train, test in splits
    )
    return folds


def describe(classes: Sequence[Any], counts: Sequence[int]) -> str:
    """Return the labels with their numbers of rows."""
    parts = [f"{c!r} ({n:,} rows)" for c, n in zip(classes, counts, strict=True)]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def rows_of(params: Mapping[str, Any], indices: IntArray, n_rows: int) -> dict[str, Any]:
    """Cut the parameters that have one entry a row; hand the others on as they are."""
    return {
        name: take(value, indices) if _n_entries(value) == n_rows else value
        for name, value in params.items()
    }


def _fit_and_score(
    estimator: Any,
    X: Any,
    y: AnyArray,
    train: IntArray,
    test: IntArray,
    fit_params: dict[str, Any],
    score: Callable[[Any, Any], AnyArray],
    keep: bool,
) -> FoldScores:
    estimator.fit(take(X, train), y[train], **rows_of(fit_params, train, y.shape[0]))
    scores = score(estimator, take(X, test))
    return FoldScores(test, scores, estimator if keep else None)


def _n_entries(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if shape:
        return int(shape[0])
    return len(value) if isinstance(value, list | tuple) else None


def _check_splits(splits: list[tuple[IntArray, IntArray]], target: AnyArray, who: str) -> None:
    """Refuse folds that cannot be fitted or scored."""
    # Whether a label of several is constant in a fold is the estimator's own concern.
    classes = np.unique(target).tolist() if target.ndim == 1 else []
    for number, (train, test) in enumerate(splits):
        counts = [int(np.count_nonzero(target[train] == label)) for label in classes]
        if 0 in counts:
            absent = classes[counts.index(0)]
            n_rows = int(np.count_nonzero(target == absent))
            rule = "every training fold must hold rows of every class"
            got = f"{describe(classes, counts)} in fold {number}, "
            got += f"where class {absent!r} has {n_rows:,} of all {target.size:,} rows"
            todo = "Use fewer folds, stratified ones, or more rows of this class"
            raise DataError(message(who, rule, got, todo))
        if not test.size:
            rule = "every test fold must hold rows"
            raise DataError(message(who, rule, f"none in fold {number}"))
    if not splits:
        raise DataError(message(who, "cv must give at least one split", "none"))


def _positions(indices: AnyArray) -> IntArray:
    array = np.asarray(indices)
    return np.flatnonzero(array) if array.dtype == bool else array.astype(np.intp)
