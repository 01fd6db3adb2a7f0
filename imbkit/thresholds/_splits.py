"""From the parameter ``cv`` to pairs of training and test rows that can be used."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit, check_cv

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, IntArray, Seed
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds._labels import describe

__all__ = ["make_splits"]


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
        As :class:`ThresholdClassifierCV` takes it.
    X : table of n_rows rows
        Rows.
    target : ndarray of shape (n_rows,)
        Labels.
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
        Every training fold holds rows of both classes.

    Raises
    ------
    DataError
        If a training fold lacks a class, a test fold is empty, or `cv` asks for more than
        the rows can give.
    InvalidParameterError
        If there are several splits and no refit.
    """
    if isinstance(cv, float):
        splitter = StratifiedShuffleSplit(1, test_size=cv, random_state=random_state)
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


def _check_splits(splits: list[tuple[IntArray, IntArray]], target: AnyArray, who: str) -> None:
    """Refuse folds that cannot be fitted or scored."""
    classes = np.unique(target).tolist()
    for number, (train, test) in enumerate(splits):
        counts = [int(np.count_nonzero(target[train] == label)) for label in classes]
        if 0 in counts:
            absent = classes[counts.index(0)]
            n_rows = int(np.count_nonzero(target == absent))
            rule = "every training fold must hold rows of both classes"
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
