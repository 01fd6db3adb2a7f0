"""A table of any kind as what a body takes: float32 numbers and int64 codes."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from imbkit._core.columns import NUMERIC, Kind, is_missing, join
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import listing, message, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray
from imbkit.exceptions import DataError

__all__ = ["TableEncoder"]

Numbers = NDArray[np.float32]
Codes = NDArray[np.int64]

_CELLS = 2**18  # of a block of rows, 2 MiB in float64: within the processor's cache
_LEVELS: tuple[Kind, ...] = ("category", "string")
_ADVICE: dict[Kind, str] = {
    "datetime": "Turn dates into numbers, such as days before a fixed one, or drop them",
    "duration": "Turn durations into numbers, such as seconds, or drop them",
    "mixed": "Convert the column to one type, or drop it",
    "other": "Spread the column over several of numbers or texts, or drop it",
}


class TableEncoder:
    """Standardised numbers and codes of categories, learned from training rows.

    Numeric and boolean columns become numbers, columns of texts and of a categorical dtype
    become codes: 0 for missing values and for levels that no training row has, 1, 2, ... for
    the others in sorted order. A missing number becomes 0, which is the mean of a standardised
    column; each column with missing values in training is followed, after all numbers, by one
    that is 1 where they are. A value missing at prediction alone is 0 and nothing more.

    Parameters
    ----------
    standardize : bool, default=True
        Whether numbers are brought to mean 0 and standard deviation 1 over the known values of
        the training rows; a constant column is 0 then. Boolean columns stay 0 and 1.
    who : str, default="TableEncoder"
        The class that messages speak for.

    Attributes
    ----------
    n_features_ : int
        Columns of numbers that come out.
    cardinalities_ : tuple of int
        Codes of each categorical column, the code 0 among them.
    names_ : tuple of str
        Columns of the table; ``x0``, ``x1``, ... where it has no names.
    numeric_, categorical_ : list of int
        Positions of the columns that become numbers and codes.
    levels_ : list of list
        Levels of each categorical column, sorted: level k has the code k + 1.
    means_, factors_ : ndarray of shape (n_numeric,)
        A number x becomes (x - mean) * factor.
    marked_ : ndarray of int
        Which of the numeric columns had missing values.
    """

    def __init__(self, *, standardize: bool = True, who: str = "TableEncoder") -> None:
        self.standardize = standardize
        self.who = who

    def fit(self, X: Any) -> Self:
        """Learn levels, means and standard deviations.

        Parameters
        ----------
        X : DataFrame of pandas or polars, or array-like of shape (n, n_columns)
            The training rows.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        DataError
            If a column holds anything but numbers, texts, booleans or categories of one type,
            or an infinite value.
        """
        rows = self._wrapped(X)
        if not rows.n_rows or not rows.n_columns:
            rule = "the table must have a row and a column at least"
            raise DataError(message(self.who, rule, f"shape ({rows.n_rows}, {rows.n_columns})"))
        self.names_, self.named_ = rows.names, _has_names(X)
        kinds = [self._usable(rows, j, kind) for j, kind in enumerate(rows.kinds())]
        self.numeric_ = [j for j, kind in enumerate(kinds) if kind in NUMERIC]
        self.categorical_ = [j for j, kind in enumerate(kinds) if kind in _LEVELS]
        self.levels_ = [_levels(rows.column(j)) for j in self.categorical_]
        self.cardinalities_ = tuple(len(levels) + 1 for levels in self.levels_)
        binary = np.array([kinds[j] == "boolean" for j in self.numeric_], dtype=bool)
        self._learn(self._matrix(rows, kinds, self.numeric_), binary)
        self.n_features_ = len(self.numeric_) + self.marked_.size
        return self

    def transform(self, X: Any) -> tuple[Numbers, Codes | None]:
        """Return numbers and codes.

        Parameters
        ----------
        X : DataFrame of pandas or polars, or array-like of shape (n, n_columns)
            Rows of a table with the same columns, found by name where both have names.

        Returns
        -------
        X : ndarray of float32, shape (n, n_features_)
            Finite numbers.
        codes : ndarray of int64, shape (n, n_categorical), or None
            None if there are no categorical columns.

        Raises
        ------
        DataError
            If a column is missing or of another kind than in training, or a value infinite.
        """
        rows = self._wrapped(X)
        place, kinds = self._places(rows, X), rows.kinds()
        numbers = self._encoded(self._matrix(rows, kinds, [place[j] for j in self.numeric_]))
        if not self.categorical_:
            return numbers, None
        codes = np.empty((rows.n_rows, len(self.categorical_)), dtype=np.int64)
        for c, (j, levels) in enumerate(zip(self.categorical_, self.levels_, strict=True)):
            codes[:, c] = self._codes(rows, kinds, place[j], levels)
        return numbers, codes

    def fit_transform(self, X: Any) -> tuple[Numbers, Codes | None]:
        """Learn from training rows, and encode them.

        Parameters
        ----------
        X : DataFrame of pandas or polars, or array-like of shape (n, n_columns)
            The training rows.

        Returns
        -------
        X : ndarray of float32, shape (n, n_features_)
            Finite numbers.
        codes : ndarray of int64, shape (n, n_categorical), or None
            None if there are no categorical columns.
        """
        return self.fit(X).transform(X)

    def _wrapped(self, X: Any) -> Rows[Any]:
        """Return the table behind its usual interface."""
        if sparse.issparse(X):
            rule, todo = "a net takes no sparse matrix", "Use X.toarray(), or fewer columns"
            raise DataError(message(self.who, rule, type(X).__name__, todo))
        return wrap(X, who=self.who)

    def _places(self, rows: Rows[Any], X: Any) -> list[int]:
        """Return where the columns of training stand."""
        if self.named_ and _has_names(X):
            return [rows.find(name) for name in self.names_]
        if rows.n_columns != len(self.names_):
            rule = f"the table must have {len(self.names_)} columns, as in training"
            raise DataError(message(self.who, rule, f"{rows.n_columns}"))
        return list(range(rows.n_columns))

    def _usable(self, rows: Rows[Any], j: int, kind: Kind) -> Kind:
        """Return the kind of a column, or complain."""
        if kind in NUMERIC or kind in _LEVELS:
            return kind
        if kind == "other" and is_missing(rows.column(j)).all():
            return "number"
        rule = "a column must hold numbers, texts, booleans or categories, of one type"
        got = f"{shorten(rows.names[j])} ({kind})"
        raise DataError(message(self.who, rule, got, _ADVICE[kind]))

    def _matrix(self, rows: Rows[Any], kinds: Sequence[Kind], positions: Sequence[int]) -> AnyArray:
        """Return numeric columns side by side, missing values as NaN."""
        native = rows.native
        if isinstance(native, np.ndarray) and native.dtype.kind in "fiub":
            return native if len(positions) == native.shape[1] else native[:, positions]
        columns = []
        for j in positions:
            values = rows.column(j)
            if kinds[j] in NUMERIC:
                columns.append(_floats(values))
            elif is_missing(values).all():
                columns.append(np.full(rows.n_rows, np.nan))
            else:
                raise self._other_kind(rows.names[j], kinds[j], "numbers")
        return join(columns, rows.n_rows)

    def _codes(self, rows: Rows[Any], kinds: Sequence[Kind], j: int, levels: list[Any]) -> Codes:
        """Return the codes of a column."""
        values = rows.column(j)
        # Levels of a categorical dtype may be numbers, and come as such another time.
        texts = any(isinstance(level, str) for level in levels)
        fits = kinds[j] in _LEVELS or (kinds[j] in NUMERIC and not texts)
        if not fits and not is_missing(values).all():
            raise self._other_kind(rows.names[j], kinds[j], "texts or categories")
        listed = values.tolist()
        known = {level: code for code, level in enumerate(levels, start=1)}
        codes = (known.get(value, 0) for value in listed)
        return np.fromiter(codes, dtype=np.int64, count=len(listed))

    def _other_kind(self, name: str, kind: Kind, was: str) -> DataError:
        """Return the complaint about a column that has changed."""
        rule = f"column {shorten(name)} must hold {was}, as in training"
        return DataError(message(self.who, rule, f"a column of kind {kind}"))

    def _learn(self, matrix: AnyArray, binary: BoolArray) -> None:
        """Set means, factors and what is marked as missing."""
        d = matrix.shape[1]
        count, total, squares = np.zeros(d), np.zeros(d), np.zeros(d)
        low, high = np.full(d, np.inf), np.full(d, -np.inf)
        for block in _blocks(matrix):
            self._check_finite(block)
            known = ~np.isnan(block)
            count += known.sum(axis=0)
            low = np.fmin(low, np.fmin.reduce(block, axis=0))
            high = np.fmax(high, np.fmax.reduce(block, axis=0))
            with np.errstate(over="ignore"):  # looked at below
                total += np.where(known, block, 0.0).sum(axis=0)
        self.marked_ = np.flatnonzero(count < len(matrix))
        self.means_, self.factors_ = np.zeros(d), np.ones(d)
        if not self.standardize:
            return
        present = np.maximum(count, 1.0)
        mean = total / present
        with np.errstate(over="ignore", invalid="ignore"):
            for block in _blocks(matrix):
                squares += np.where(np.isnan(block), 0.0, np.square(block - mean)).sum(axis=0)
            deviation = np.sqrt(squares / present)
        self._check_size(np.isfinite(deviation))
        # Told by the values themselves: rounding leaves a constant column a deviation.
        varies = (low < high) & (deviation > np.finfo(np.float64).tiny)
        factors = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
        self.means_ = np.where(varies & ~binary, mean, 0.0)
        self.factors_ = np.where(binary, 1.0, factors)

    def _encoded(self, matrix: AnyArray) -> Numbers:
        """Return float32 numbers, and the marks of missing ones after them."""
        n, d = matrix.shape
        out = np.empty((n, self.n_features_), dtype=np.float32)
        start = 0
        for block in _blocks(matrix):
            self._check_finite(block)
            rows = slice(start, start + len(block))
            gone = np.isnan(block)
            with np.errstate(over="ignore"):  # looked at below
                out[rows, :d] = np.where(gone, 0.0, (block - self.means_) * self.factors_)
            out[rows, d:] = gone[:, self.marked_]
            self._check_size(np.logical_and.reduce(np.isfinite(out[rows, :d]), axis=0))
            start = rows.stop
        return out

    def _check_finite(self, block: FloatArray) -> None:
        """Refuse infinite numbers."""
        found = np.isinf(block).any(axis=0)
        if found.any():
            names = [self.names_[self.numeric_[j]] for j in np.flatnonzero(found)]
            todo = "Replace them by missing values or by a large number, or drop the columns"
            got = f"infinite (inf) values in {listing(names)}"
            raise DataError(message(self.who, "every number must be finite or missing", got, todo))

    def _check_size(self, fine: BoolArray) -> None:
        """Refuse numbers beyond what float32 can hold."""
        if not fine.all():
            names = [self.names_[self.numeric_[j]] for j in np.flatnonzero(~fine)]
            rule, todo = "numbers must not be too large for float32", "Take logarithms first"
            raise DataError(message(self.who, rule, f"them in {listing(names)}", todo))


def _has_names(X: Any) -> bool:
    """Whether a table can be asked for columns by name."""
    return hasattr(X, "columns") or isinstance(X, Rows)


def _levels(values: AnyArray) -> list[Any]:
    """Return the levels of a column, sorted, missing ones left out."""
    listed = set(values.tolist()) - {None}
    return sorted(listed, key=lambda value: (type(value).__name__, value))


def _floats(values: AnyArray) -> FloatArray:
    """Return a numeric column as floats, missing values as NaN."""
    if values.dtype != object:
        return values if values.dtype.kind == "f" else values.astype(np.float64)
    return np.array([np.nan if value is None else float(value) for value in values.tolist()])


def _blocks(matrix: AnyArray) -> Iterator[FloatArray]:
    """Yield blocks of rows in float64, few enough to stay in the processor's cache."""
    step = max(1, _CELLS // max(1, matrix.shape[1]))
    for start in range(0, len(matrix), step):
        yield matrix[start : start + step].astype(np.float64, copy=False)
