"""Read a table from a file, and part it into features and target."""

import codecs
import csv
import gzip
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from imbkit._core.messages import listing, message, nearest_names, require, shorten
from imbkit.exceptions import DataError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["choose_columns", "read_table"]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PARQUET_SUFFIXES = (".parquet", ".pq")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SNIFFED_ROWS = 200
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")


def read_table(path: str | Path) -> "pd.DataFrame":
    r"""Read a CSV, TSV or parquet file.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv`` or ``.txt`` (the separator, one of comma, semicolon, tab and bar,
        is found out; the first line is the header), the same with ``.gz`` added, or
        ``.parquet`` (``.pq``).

    Returns
    -------
    pandas.DataFrame
        One column a field, with distinct names that are strings.

    Raises
    ------
    DataError
        If there is no such file, or it cannot be read as a table: empty, header only, not
        UTF-8, rows of different lengths, column names that occur twice.

    See Also
    --------
    choose_columns : Part the table into features and target.

    Notes
    -----
    A text file is read twice: once to find rows of another length, which pandas would fill
    up or cut without a word, and once into the table. Nothing but the table is kept. Where
    the separator is not a comma, numbers may have decimal commas.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from imbkit.bench import read_table
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "pumps.csv")
    ...     size = path.write_text("hours;leak\n1,5;no\n8,2;yes\n")
    ...     table = read_table(path)
    >>> table["hours"].tolist()
    [1.5, 8.2]
    """
    path = Path(path).expanduser()
    kind = _check_path(path)
    with _readable(path):
        table = _read_parquet(path) if kind in PARQUET_SUFFIXES else _read_text(path, kind)
    table.columns = table.columns.map(str)
    _check_names([str(name) for name in table.columns], path)
    return table


def choose_columns(
    table: "pd.DataFrame", target: str, drop: Sequence[str] = ()
) -> tuple["pd.DataFrame", "pd.Series[Any]"]:
    """Part a table into features and target.

    Parameters
    ----------
    table : pandas.DataFrame
        As `read_table` returns it. The target and the dropped columns are taken out of this
        frame itself, so that no second copy of it is needed.
    target : str
        Name of the target's column.
    drop : sequence of str, default=()
        Names of columns that are not to be used.

    Returns
    -------
    X : pandas.DataFrame
        The remaining columns.
    y : pandas.Series
        The target.

    Raises
    ------
    InvalidParameterError
        If there is no such column; near names are suggested.
    DataError
        If the target has missing values, or no column is left as a feature.

    See Also
    --------
    read_table : Read the table from a file.

    Examples
    --------
    >>> from imbkit.bench import choose_columns
    >>> from imbkit.datasets import load_sick
    >>> X, y = choose_columns(load_sick().frame, "class", ["TBG"])
    >>> X.shape, y.name
    ((3772, 28), 'class')
    """
    names = list(table.columns)
    for option, name in [("target", target), *(("drop", name) for name in drop)]:
        if name not in names:
            near = nearest_names(name, names)
            rule = f"{option} must name a column of the table"
            todo = f"Did you mean {listing(near)}?" if near else f"Columns are {listing(names, 10)}"
            text = message("choose_columns", rule, shorten(name), todo)
            raise InvalidParameterError(text)
    if target in drop:
        rule = "the target must not be among the dropped columns"
        raise InvalidParameterError(message("choose_columns", rule, shorten(target)))
    missing = int(table[target].isna().sum())
    if missing:
        rule = "the target must not have missing values"
        got = f"{missing:,} missing of {len(table):,} in {shorten(target)}"
        todo = "Drop those rows, or give them a class of their own"
        raise DataError(message("choose_columns", rule, got, todo))
    if not set(names) - {target, *drop}:
        rule = "at least one column must be left besides the target"
        todo = "Drop fewer columns"
        raise DataError(message("choose_columns", rule, f"only {listing(names)}", todo))
    for name in dict.fromkeys(drop):
        del table[name]
    return table, table.pop(target)


def _check_path(path: Path) -> str:
    """Return the suffix that says how to read the file."""
    shown = shorten(str(path), 200)
    if path.is_dir():
        rule = "the table must be a file"
        raise DataError(message("read_table", rule, f"the directory {shown}", "Name a file in it"))
    if not path.exists():
        rule = "the table must exist"
        near = _near_files(path)
        todo = f"Did you mean {listing(near)}?" if near else "Look at the path for a typing error"
        raise DataError(message("read_table", rule, f"{shown}, which is not there", todo))
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = suffixes[-1:] == [".gz"]
    kind = "".join(suffixes[-2:-1] if packed else suffixes[-1:])
    if kind not in (TEXT_SUFFIXES if packed else TEXT_SUFFIXES + PARQUET_SUFFIXES):
        known = ", ".join(TEXT_SUFFIXES)
        rule = f"the file's name must end in {known} (or these with .gz) or .parquet"
        raise DataError(message("read_table", rule, shown, "Convert or rename it"))
    return kind


def _near_files(path: Path) -> list[str]:
    try:
        return nearest_names(path.name, sorted(other.name for other in path.parent.iterdir()))
    except OSError:
        return []


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading into one that names the file and the remedy."""
    shown = shorten(str(path), 200)
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        rule = "a .gz file must be gzip data"
        got, todo = f"{error} in {shown}", "Make or download the file again"
        raise DataError(message("read_table", rule, got, todo)) from error
    except UnicodeDecodeError as error:
        rule = "a text file must be UTF-8"
        got = f"the byte 0x{error.object[error.start]:02x} in {shown}"
        raise DataError(message("read_table", rule, got, "Save it as UTF-8 (CSV UTF-8)")) from error
    except csv.Error as error:
        rule = "the file must be a table of separated fields"
        got = f"{error} in {shown}"
        todo = "Look for a quotation mark that is never closed"
        raise DataError(message("read_table", rule, got, todo)) from error
    except OSError as error:
        rule = "the file must be readable"
        got = f"{error.strerror or error} for {shown}"
        raise DataError(message("read_table", rule, got, "Look at its permissions")) from error


def _read_text(path: Path, kind: str) -> "pd.DataFrame":
    pandas = require("pandas", "compare", "read_table")
    _check_binary(path)
    with _open(path) as file:
        head = list(islice(file, SNIFFED_ROWS))
    separator = _sniff(head, preferred="\t" if kind == ".tsv" else ",")
    _check_rows(path, separator)
    options: dict[str, Any] = {"sep": separator, "encoding": "utf-8-sig", "index_col": False}
    if separator != "," and _has_decimal_commas(head, separator):
        options["decimal"] = ","
    with warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.DtypeWarning)
        try:
            table = pandas.read_csv(path, **options)
        except pandas.errors.DtypeWarning:
            # Numbers in one block and text in another: judge the whole column at once.
            table = pandas.read_csv(path, low_memory=False, **options)
        except pandas.errors.ParserError as error:
            rule = "the file must be a table of separated fields"
            got = f"{error} in {shorten(str(path), 200)}"
            raise DataError(message("read_table", rule, got, "Repair that line")) from error
    return cast("pd.DataFrame", table)


def _open(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check_binary(path: Path) -> None:
    """Complain about an empty file, and about bytes that no text has."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        start = file.read(65536)
    shown = shorten(str(path), 200)
    if not start.strip():
        rule = "the file must hold a header and rows"
        todo = "Write the table again"
        raise DataError(message("read_table", rule, f"{shown}, which is empty", todo))
    if start.startswith(BYTE_ORDER_MARKS):
        rule = "a text file must be UTF-8"
        todo = "Save it as UTF-8 (CSV UTF-8)"
        raise DataError(message("read_table", rule, f"UTF-16 in {shown}", todo))
    if b"\0" in start:
        rule = "the file must be a table of separated fields"
        todo = "Is it a spreadsheet or an archive? Export it as CSV"
        raise DataError(message("read_table", rule, f"binary data in {shown}", todo))


def _sniff(head: list[str], preferred: str) -> str:
    """Return the separator that gives the first lines equally many fields, at least two."""
    best, best_score = preferred, (False, 1, False)
    for separator in SEPARATORS:
        widths = [len(row) for row in _records(csv.reader(head, delimiter=separator))]
        if widths:
            # The last record may be cut in the middle of a quoted field.
            even = len(set(widths[: max(1, len(widths) - 1)])) == 1 and widths[0] > 1
            score = (even, widths[0], separator == preferred)
            if score > best_score:
                best, best_score = separator, score
    return best


def _records(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    """Leave out blank lines, as pandas does."""
    return (row for row in reader if len(row) > 1 or (row and row[0].strip()))


def _check_rows(path: Path, separator: str) -> None:
    """Go through the whole file once: the header's names, and the length of each row."""
    shown = shorten(str(path), 200)
    with _open(path) as file:
        reader = csv.reader(file, delimiter=separator)
        records = _records(reader)
        header = next(records, [])
        if len(header) < 2:
            rule = "the file must be a table of at least two columns"
            got = f"one column, {listing(header)}, in {shown}"
            todo = f"Separate the fields by {', '.join(SEPARATORS.values())}"
            raise DataError(message("read_table", rule, got, todo))
        _check_names(header, path)
        rows = 0
        for rows, row in enumerate(records, start=1):  # noqa: B007
            if len(row) != len(header):
                rule = f"every row must have as many fields as the header, {len(header):,}"
                got = f"{len(row):,} in line {reader.line_num:,} of {shown}"
                todo = "Put fields that hold the separator in quotation marks"
                raise DataError(message("read_table", rule, got, todo))
        if not rows:
            rule = "the file must hold a header and rows"
            got = f"a header only in {shown}"
            raise DataError(message("read_table", rule, got, "Write the table again"))


def _check_names(names: list[str], path: Path) -> None:
    """Complain about columns of the same name; pandas names unnamed ones apart by itself."""
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        rule = "column names must be distinct"
        got = f"{listing(twice)} more than once in {shorten(str(path), 200)}"
        raise DataError(message("read_table", rule, got, "Rename the columns"))


def _has_decimal_commas(head: list[str], separator: str) -> bool:
    """Whether some column consists of numbers such as 1,5 and no field is one such as 1.5."""
    records = list(_records(csv.reader(head, delimiter=separator)))[1:-1]
    columns = [[cell for cell in column if cell] for column in zip(*records, strict=False)]
    if any(_DECIMAL_POINT.fullmatch(cell) for column in columns for cell in column):
        return False
    return any(column and all(map(_DECIMAL_COMMA.fullmatch, column)) for column in columns)


def _read_parquet(path: Path) -> "pd.DataFrame":
    pandas = require("pandas", "compare", "read_table")
    parquet = require("pyarrow.parquet", "compare", "read_table")
    arrow = require("pyarrow", "compare", "read_table")
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            _check_names(file.schema_arrow.names, path)
            table = pandas.DataFrame(_parquet_columns(file), copy=False)
    except arrow.ArrowException as error:
        rule = "a .parquet file must be parquet data"
        got = f"{str(error).partition(chr(10))[0]} in {shorten(str(path), 200)}"
        raise DataError(message("read_table", rule, got, "Write the table again")) from error
    arrow.default_memory_pool().release_unused()
    if not len(table) or not table.shape[1]:
        rule = "the file must hold columns and rows"
        got = f"{len(table)} rows and {table.shape[1]} columns in {shorten(str(path), 200)}"
        raise DataError(message("read_table", rule, got, "Write the table again"))
    return cast("pd.DataFrame", table)


def _parquet_columns(file: Any) -> dict[str, Any]:
    """Read column by column: all at once, Arrow's copy stands beside pandas' in memory."""
    stored = file.schema_arrow.pandas_metadata or {}
    index = [name for name in stored.get("index_columns", []) if isinstance(name, str)]
    columns = {}
    for name in file.schema_arrow.names:
        if name not in index:
            part = file.read(columns=[name], use_threads=False)
            frame = part.to_pandas(split_blocks=True, self_destruct=True)
            columns[name] = frame[name].reset_index(drop=True).copy()
    return columns
