"""Tables of any kind behind one interface: rows in, rows of the same kind out."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Self, TypeVar

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from imbkit._core.columns import (
    NUMERIC,
    Kind,
    is_infinite,
    is_missing,
    join,
    kind_of_dtype,
    kind_of_objects,
    kind_of_values,
    plain,
    whole,
)
from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["Kind", "Rows", "plain_array", "stack", "take", "wrap"]

Native = TypeVar("Native")


class Rows(ABC, Generic[Native]):
    """A table, whatever library it came from; never changed in place.

    Parameters
    ----------
    native : DataFrame, ndarray, sparse matrix or sparse array
        The table, as :func:`wrap` takes it.
    who : str
        The class or command that messages speak for.

    Attributes
    ----------
    native : DataFrame, ndarray, sparse matrix or sparse array
        The table in its own library.
    names : tuple of str
        Column names; ``x0``, ``x1``, ... where the table has none.
    """

    def __init__(self, native: Native, names: Iterable[str], who: str) -> None:
        self.native = native
        self.names = tuple(names)
        self.who = who

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of rows."""

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.names)

    @abstractmethod
    def kinds(self) -> tuple[Kind, ...]:
        """Return the kind of each column.

        "number" (not all of them integers), "integer", "boolean", "category" (a dtype with
        levels), "string", "datetime", "duration", "mixed" (values of several of these kinds)
        or "other". Columns of objects are judged by their values.
        """

    @abstractmethod
    def column(self, position: int) -> AnyArray:
        """Return one column as an array of shape (n_rows,).

        Missing values are NaN in numbers and integers (then float64), NaT in datetimes (UTC)
        and durations, None in anything else (dtype object). The array may share memory with
        the table.
        """

    @abstractmethod
    def take(self, indices: ArrayLike, *, renumber: bool = False) -> Self:
        """Return the rows at the given positions, in that order, repeated where repeated.

        Column names, dtypes and categories are kept. A pandas index keeps the labels of the
        rows taken, unless `renumber` asks for a new one from 0.
        """

    @abstractmethod
    def select(self, columns: Iterable[int | str]) -> Self:
        """Return some columns, by position or name, in the given order."""

    @abstractmethod
    def matrix(self) -> Any:
        """Return the numbers as floats: an ndarray, or a sparse matrix of the same format.

        The dtype is float32 if every column is (float16 likewise) and else float64, also for
        narrow integers. Missing values are NaN. It may share memory with the table.

        Raises
        ------
        DataError
            If a column is not numeric or boolean.
        """

    @abstractmethod
    def rebuild(
        self, values: Any, *, columns: Sequence[int] | None = None, base: ArrayLike | None = None
    ) -> Self:
        """Return new rows of this table's make: its names, order and dtypes.

        Numbers are rounded and clipped to integer dtypes, more than 0.5 is True, and NaN is a
        missing value where the dtype has one (among floats of polars: if the column has one
        already). A pandas index is numbered from 0.

        Parameters
        ----------
        values : ndarray or sparse matrix of shape (m, k), or sequence of k arrays of shape (m,)
            New values of the given columns: numbers, or for strings and categories values
            that :meth:`column` could have returned.
        columns : sequence of int, default=None
            Positions of these k columns; all columns if None.
        base : array-like of shape (m,), default=None
            Rows that the other columns are copied from.

        Raises
        ------
        DataError
            If a category is not one of the table's, a value is missing where the dtype has
            no missing value, or a column is of a kind that only `base` can give.
        """

    @abstractmethod
    def _stack(self, others: Sequence[Self]) -> Self:
        """Put other rows of the same make below."""

    def drop(self, columns: Iterable[int | str]) -> Self:
        """Return the table without some columns, given by position or name."""
        gone = set(self._positions(columns))
        return self.select(j for j in range(self.n_columns) if j not in gone)

    def find(self, name: str) -> int:
        """Return the position of a column.

        Raises
        ------
        DataError
            If there is none of that name; the message suggests near ones.
        """
        if name in self.names:
            return self.names.index(name)
        near = nearest_names(name, self.names)
        todo = f"Did you mean {listing(near)}?" if near else f"Columns are {listing(self.names)}"
        raise DataError(message(self.who, "a column must be in the table", shorten(name), todo))

    def missing(self) -> IntArray:
        """Return the number of missing values of each column, shape (n_columns,)."""
        return self._count(is_missing)

    def infinite(self) -> IntArray:
        """Return the number of infinite values of each column, shape (n_columns,)."""
        return self._count(is_infinite)

    def _count(self, test: Any) -> IntArray:
        counts = (np.count_nonzero(test(self.column(j))) for j in range(self.n_columns))
        return np.fromiter(counts, dtype=np.intp, count=self.n_columns)

    def _positions(self, columns: Iterable[int | str]) -> list[int]:
        return [self.find(c) if isinstance(c, str) else range(self.n_columns)[c] for c in columns]

    def _new(self, native: Native) -> Self:
        """Wrap a table with the same columns."""
        return type(self)(native, self.names, self.who)

    def _check_rebuild(
        self, values: Any, columns: Sequence[int] | None, base: ArrayLike | None
    ) -> tuple[list[int], int]:
        """Positions of the columns made anew, and the number of rows to make."""
        positions = list(range(self.n_columns) if columns is None else columns)
        if isinstance(values, np.ndarray):
            n_rows, given = len(values), values.shape[1]
        else:
            n_rows, given = len(values[0]) if len(values) else 0, len(values)
        if given != len(positions):
            rule = f"new values must be given for {len(positions)} columns"
            raise InvalidParameterError(message(self.who, rule, f"{given} columns"))
        if base is None and len(positions) < self.n_columns:
            rule = "new values of some columns need the rows that the others are copied from"
            raise InvalidParameterError(message(self.who, rule))
        return positions, n_rows

    def _check_numeric(self, kinds: Sequence[Kind]) -> None:
        wrong = [
            f"{shorten(name)} ({kind})"
            for name, kind in zip(self.names, kinds, strict=True)
            if kind not in NUMERIC
        ]
        if wrong:
            more = f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
            todo = "Encode these columns as numbers, or leave them out"
            got = ", ".join(wrong[:5]) + more
            raise DataError(message(self.who, "every column must be numeric", got, todo))

    def _cast(self, values: ArrayLike, position: int, kind: Kind, dtype: str) -> AnyArray:
        """Prepare new values of a column for the container's own constructor."""
        if kind in ("integer", "boolean"):
            return whole(values, kind, dtype)
        if kind == "number":
            return np.asarray(values, dtype=np.float64)
        if kind in ("category", "string"):
            return plain(np.asarray(values, dtype=object), kind)
        rule = f"a column of kind {kind} cannot be made anew, only copied from base rows"
        raise DataError(message(self.who, rule, shorten(self.names[position])))

    def _no_missing(self, name: str, dtype: object) -> DataError:
        rule = "the new values must not be missing where the dtype has no missing value"
        return DataError(message(self.who, rule, f"NaN for {shorten(name)} ({dtype})"))


class _MatrixRows(Rows[Any]):
    """What dense and sparse matrices have in common."""

    @property
    def n_rows(self) -> int:
        return int(self.native.shape[0])

    def kinds(self) -> tuple[Kind, ...]:
        return (kind_of_values(self.native.dtype),) * self.n_columns

    def take(self, indices: ArrayLike, *, renumber: bool = False) -> Self:
        return self._new(self.native[_positions_of(indices, self.who)])

    def select(self, columns: Iterable[int | str]) -> Self:
        positions = self._positions(columns)
        names = [self.names[j] for j in positions]
        return type(self)(self.native[:, positions], names, self.who)

    def matrix(self) -> Any:
        self._check_numeric(self.kinds())
        return self.native if self.native.dtype.kind == "f" else self.native.astype(np.float64)


class _ArrayRows(_MatrixRows):
    """A NumPy array of two dimensions."""

    def kinds(self) -> tuple[Kind, ...]:
        if self.native.dtype == object:
            return tuple(kind_of_objects(self.native[:, j]) for j in range(self.n_columns))
        return super().kinds()

    def column(self, position: int) -> AnyArray:
        values: AnyArray = self.native[:, position]
        return plain(values, kind_of_objects(values)) if values.dtype == object else values

    def matrix(self) -> AnyArray:
        if self.native.dtype == object:
            self._check_numeric(self.kinds())
            return join([self.column(j) for j in range(self.n_columns)], self.n_rows)
        matrix: AnyArray = super().matrix()
        return matrix

    def rebuild(
        self, values: Any, *, columns: Sequence[int] | None = None, base: ArrayLike | None = None
    ) -> Self:
        dtype = self.native.dtype
        positions, n_rows = self._check_rebuild(values, columns, base)
        if base is None:
            out = np.empty((n_rows, self.n_columns), dtype=dtype)
        else:
            out = self.native[_positions_of(base, self.who)]
        for k, j in enumerate(positions):
            # Kinds of objects are found by looking at all of them, so only where needed.
            kind = self.select([j]).kinds()[0]
            new = self._cast(_nth(values, k), j, kind, dtype.name)
            if dtype.kind in "iub" and new.dtype == object:
                raise self._no_missing(self.names[j], dtype)
            out[:, j] = new
        return self._new(out)

    def _stack(self, others: Sequence[Self]) -> Self:
        return self._new(np.concatenate([self.native, *(rows.native for rows in others)]))


class _SparseRows(_MatrixRows):
    """A SciPy matrix or array in CSR or CSC format."""

    def column(self, position: int) -> AnyArray:
        values: AnyArray = self.native[:, [position]].toarray().ravel()
        return values

    def rebuild(
        self, values: Any, *, columns: Sequence[int] | None = None, base: ArrayLike | None = None
    ) -> Self:
        if columns is not None or base is not None:
            rule = "rows of a sparse matrix can only be made anew as a whole"
            raise InvalidParameterError(message(self.who, rule))
        # The constructor of each class turns the other format, or a dense array, into its own.
        out = type(self.native)(values)
        dtype = self.native.dtype
        if dtype.kind in "iub":
            data = whole(out.data, kind_of_values(dtype), dtype.name)
            if data.dtype == object:
                raise self._no_missing("a sparse matrix", dtype)
            out = type(out)((data.astype(dtype), out.indices, out.indptr), shape=out.shape)
        return self._new(out.astype(dtype))

    def _count(self, test: Any) -> IntArray:
        hits = self.native.tocoo()
        columns = hits.coords[1][test(hits.data)]
        return np.bincount(columns, minlength=self.n_columns).astype(np.intp)

    def _stack(self, others: Sequence[Self]) -> Self:
        parts = [self.native, *(rows.native for rows in others)]
        return self._new(type(self.native)(sparse.vstack(parts, format=self.native.format)))


class _FrameRows(Rows[Any]):
    """A pandas or polars DataFrame, through narwhals."""

    def __init__(self, native: Any, names: Iterable[str], who: str) -> None:
        super().__init__(native, names, who)
        self._frame: nw.DataFrame[Any] = nw.from_native(native, eager_only=True)
        self._pandas = self._frame.implementation.is_pandas()

    @property
    def n_rows(self) -> int:
        return len(self._frame)

    def kinds(self) -> tuple[Kind, ...]:
        return tuple(self._kind(j) for j in range(self.n_columns))

    def column(self, position: int) -> AnyArray:
        series, kind = self._series(position), self._kind(position)
        if kind == "category" and self._pandas:
            # Levels in their own dtype would become floats beside a missing value.
            values = series.to_native().astype(object).to_numpy()
        else:
            values = series.to_numpy()
        return plain(values.astype(object) if kind == "category" else values, kind)

    def take(self, indices: ArrayLike, *, renumber: bool = False) -> Self:
        frame = self._frame[_positions_of(indices, self.who)]
        return self._new((nw.maybe_reset_index(frame) if renumber else frame).to_native())

    def select(self, columns: Iterable[int | str]) -> Self:
        positions = self._positions(columns)
        names = [self.names[j] for j in positions]
        return type(self)(self._frame[:, positions].to_native(), names, self.who)

    def matrix(self) -> AnyArray:
        self._check_numeric(self.kinds())
        return join([self.column(j) for j in range(self.n_columns)], self.n_rows)

    def rebuild(
        self, values: Any, *, columns: Sequence[int] | None = None, base: ArrayLike | None = None
    ) -> Self:
        positions, _ = self._check_rebuild(values, columns, base)
        new = {j: self._new_series(_nth(values, k), j) for k, j in enumerate(positions)}
        if base is not None:
            rest = self.take(base, renumber=True)
            new = {j: rest._series(j) for j in range(self.n_columns)} | new
        parts = [new[j].to_frame() for j in range(self.n_columns)]
        native = nw.concat(parts, how="horizontal").to_native()
        if self._pandas:
            native.columns = self.native.columns
        return self._new(native)

    def _stack(self, others: Sequence[Self]) -> Self:
        frames = [rows._frame for rows in (self, *others)]
        return self._new(nw.maybe_reset_index(nw.concat(frames)).to_native())

    def _series(self, position: int) -> nw.Series[Any]:
        return self._frame[:, position]

    def _kind(self, position: int) -> Kind:
        series = self._series(position)
        dtype = series.to_native().dtype
        if self._pandas and dtype == np.dtype(object):  # narwhals looks at the first values only
            return kind_of_objects(series.to_numpy())
        if self._pandas and hasattr(dtype, "subtype") and dtype.name.startswith("Sparse"):
            return kind_of_values(dtype.subtype)
        if series.dtype == nw.Object:
            return kind_of_objects(series.to_numpy())
        return kind_of_dtype(series.dtype)

    def _new_series(self, values: ArrayLike, position: int) -> nw.Series[Any]:
        """Build a series with the name and dtype of one of the table's columns."""
        old, kind = self._series(position), self._kind(position)
        native, library = old.to_native(), nw.get_native_namespace(old)
        array = self._cast(values, position, kind, str(old.dtype).lower())
        if kind == "category":
            self._check_levels(array, position)
        if not self._pandas:
            listed: Any = array.tolist() if array.dtype == object else array
            series = library.Series(native.name, listed, nan_to_null=native.null_count() > 0)
            return nw.from_native(series.cast(native.dtype), series_only=True)
        refuses_missing = isinstance(native.dtype, np.dtype) and native.dtype.kind in "iub"
        if refuses_missing and array.dtype == object:
            raise self._no_missing(self.names[position], native.dtype)
        series = library.Series(array, name=native.name, dtype=native.dtype)
        return nw.from_native(series, series_only=True)

    def _check_levels(self, values: AnyArray, position: int) -> None:
        """Refuse values that are no level of a categorical column."""
        levels = set(self._series(position).cat.get_categories().to_list())
        unknown = {str(value) for value in values if value is not None} - set(map(str, levels))
        if unknown:
            rule = f"column {shorten(self.names[position])} takes its own categories only"
            raise DataError(message(self.who, rule, listing(sorted(unknown))))


def wrap(X: object, *, who: str = "X") -> Rows[Any]:
    """Put one interface in front of a table.

    Parameters
    ----------
    X : DataFrame of pandas or polars, array-like of two dimensions, or sparse matrix
        Sparse matrices and arrays must be CSR or CSC; lists of lists become NumPy arrays.
    who : str, default="X"
        The class or command that messages speak for.

    Returns
    -------
    Rows
        The table; nothing is copied.

    Raises
    ------
    DataError
        If `X` is not a table, or two columns have the same name.
    """
    if isinstance(X, np.ndarray) or sparse.issparse(X):
        return _wrap_matrix(X, who)
    if isinstance(X, Rows):
        return X
    try:
        frame = nw.from_native(X, pass_through=True, allow_series=True)
        columns = list(frame.columns) if isinstance(frame, nw.DataFrame) else []
    except nw.exceptions.DuplicateError:
        columns = [*getattr(X, "columns", ())]
        raise _duplicated(columns, who) from None
    if isinstance(frame, nw.DataFrame):
        if not _is_supported(frame):
            raise _not_a_table(f"a {type(X).__name__}", "Convert it to one of these first", who)
        names = [str(name) for name in columns]
        if len(set(names)) < len(names):
            raise _duplicated(names, who)
        return _FrameRows(X, names, who)
    if isinstance(frame, nw.LazyFrame):
        raise _not_a_table("a lazy frame", "Call .collect() first", who)
    if isinstance(frame, nw.Series):
        raise _not_a_table("a single column", "Use .to_frame()", who)
    if isinstance(X, (list, tuple)) or hasattr(X, "__array__"):
        return _wrap_matrix(_array_of(X, who), who)
    raise _not_a_table(type(X).__name__, "Convert it to one of these first", who)


def take(values: Any, indices: ArrayLike, *, renumber: bool = False, who: str = "take") -> Any:
    """Return entries of a table or of a single column, in its own kind.

    Parameters
    ----------
    values : table, Series, Index, ndarray or list
        What to take from: a table as in :func:`wrap`, one column of pandas or polars, or an
        array of any shape.
    indices : array-like of int, shape (m,)
        Positions from 0.
    renumber : bool, default=False
        Whether a pandas index is numbered from 0 instead of keeping its labels.
    who : str, default="take"
        The class or command that messages speak for.

    Returns
    -------
    DataFrame, Series, ndarray, sparse matrix or list
        As `values`; a list gives a list.
    """
    positions = _positions_of(indices, who)
    if isinstance(values, (list, tuple)):
        return [values[i] for i in positions]
    if isinstance(values, np.ndarray):
        return values[positions]
    series = nw.from_native(values, pass_through=True, allow_series=True)
    if isinstance(series, nw.Series):
        taken = series[positions]
        return (nw.maybe_reset_index(taken) if renumber else taken).to_native()
    # Any other column: pandas' own arrays and indexes are not known to narwhals.
    if getattr(values, "ndim", 2) == 1:
        return values[positions]
    return wrap(values, who=who).take(positions, renumber=renumber).native


def plain_array(values: Any) -> AnyArray:
    """Return labels, or other values of the rows, as an array of one or two dimensions.

    Parameters
    ----------
    values : Series, DataFrame, ndarray or list
        Columns of a frame have one way to be missing each, as :meth:`Rows.column` says; a
        frame of one column gives one dimension.

    Returns
    -------
    ndarray
        It may share memory with `values`.
    """
    if isinstance(values, (np.ndarray, list, tuple)):
        # Narwhals looks for its plugins when it is first asked, which takes milliseconds.
        return np.asarray(values)
    frame = nw.from_native(values, pass_through=True, allow_series=True)
    if isinstance(frame, nw.Series):
        frame = frame.to_frame()
    if not isinstance(frame, nw.DataFrame):
        return np.asarray(values)
    rows = wrap(frame.to_native())
    columns = [rows.column(j) for j in range(rows.n_columns)]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def stack(parts: Sequence[Rows[Native]]) -> Rows[Native]:
    """Put tables of the same make on top of each other; a pandas index is numbered from 0."""
    return parts[0]._stack(parts[1:])


def _wrap_matrix(X: Any, who: str) -> Rows[Any]:
    if isinstance(X, np.ma.MaskedArray):
        raise _not_a_table("a masked array", "Fill it with NaN first", who)
    if len(X.shape) != 2:
        todo = "Use .reshape(-1, 1) for a single column" if len(X.shape) == 1 else ""
        raise _not_a_table(f"an array of shape {X.shape}", todo, who)
    names = [f"x{j}" for j in range(X.shape[1])]
    if isinstance(X, np.ndarray):
        return _ArrayRows(np.asarray(X), names, who)
    if X.format not in ("csr", "csc"):
        raise _not_a_table(f"a sparse {X.format} matrix", "Call .tocsr() first", who)
    return _SparseRows(X, names, who)


def _is_supported(frame: nw.DataFrame[Any]) -> bool:
    return frame.implementation in (nw.Implementation.PANDAS, nw.Implementation.POLARS)


def _array_of(X: Any, who: str) -> AnyArray:
    """Make an array of lists, without turning numbers beside text into text."""
    try:
        array = np.asarray(X)
        objects = np.asarray(X, dtype=object) if array.dtype.kind in "US" else array
    except ValueError:
        todo = "Give every row the same number of values"
        raise _not_a_table("rows of different lengths", todo, who) from None
    return objects


def _positions_of(indices: ArrayLike, who: str) -> IntArray:
    positions = np.asarray(indices)
    if positions.ndim != 1 or (positions.size and positions.dtype.kind not in "iu"):
        rule = "rows must be taken by a one-dimensional array of integer positions"
        todo = "Turn a mask into positions with numpy.flatnonzero"
        got = f"{positions.ndim} dimensions of {positions.dtype}"
        raise InvalidParameterError(message(who, rule, got, todo))
    return positions.astype(np.intp)


def _nth(values: Any, k: int) -> Any:
    """Return column k of an array or of a sequence of columns."""
    return values[:, k] if isinstance(values, np.ndarray) else values[k]


def _not_a_table(got: str, todo: str, who: str) -> DataError:
    rule = (
        "the data must be a table: a DataFrame of pandas or polars, a NumPy array of two "
        "dimensions, or a sparse matrix in CSR or CSC format"
    )
    return DataError(message(who, rule, got, todo))


def _duplicated(names: Sequence[object], who: str) -> DataError:
    twice = [name for name, count in Counter(map(str, names)).items() if count > 1]
    todo = "Rename or drop the repeated ones"
    return DataError(message(who, "column names must be unique", listing(twice), todo))
