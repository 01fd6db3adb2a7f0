"""The append-only record of finished cells, from which an interrupted run goes on.

``rows.jsonl`` holds a header line and then one line a cell. The header carries a fingerprint
of everything that a cell's scores depend on; a file with another fingerprint is refused.
Raise `ROWS_VERSION` when a row changes its meaning: older files are then refused, too.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypedDict

from imbkit._core.messages import message
from imbkit.exceptions import OutputError

__all__ = ["ROWS_VERSION", "Row", "RowStore", "cell_name"]

ROWS_VERSION = 1


class Row(TypedDict):
    """What one cell found."""

    cell: str
    """``strategy/learner/repeat/fold``."""
    strategy: str
    learner: str
    repeat: int
    fold: int
    status: Literal["done", "failed"]
    n_train: int
    n_test: int
    scores: dict[str, float | None]
    """Threshold-free metrics; None where undefined."""
    policies: dict[str, dict[str, float | None]]
    """Policy -> metrics, and ``"threshold"`` where there is one."""
    recalls: dict[str, float | None]
    """Recall of each class under the last policy, by the class's number."""
    warnings: dict[str, int]
    """Text -> times raised."""
    error: str
    fit_seconds: float
    predict_seconds: float
    model_bytes: int


def cell_name(strategy: str, learner: str, repeat: int, fold: int) -> str:
    """Return the identifier of a cell."""
    return f"{strategy}/{learner}/{repeat}/{fold}"


class RowStore:
    """Rows in memory and, if a directory is given, in its ``rows.jsonl``.

    Parameters
    ----------
    directory : Path or None
        Existing directory; None keeps the rows in memory only.
    fingerprint : str
        Identifies data, splits, seeds and versions.

    Raises
    ------
    OutputError
        If the directory holds another run, other files, or cannot be written.
    """

    def __init__(self, directory: Path | None, fingerprint: str) -> None:
        self._rows: dict[str, Row] = {}
        self._path = None if directory is None else directory / "rows.jsonl"
        self._fingerprint = fingerprint
        if self._path is not None:
            self._open(self._path)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def finished(self, cell: str) -> bool:
        """Return whether a cell was done; a failed one is tried again."""
        return cell in self._rows and self._rows[cell]["status"] == "done"

    def append(self, row: Row) -> None:
        """Add a row, on disk before this returns."""
        self._rows[row["cell"]] = row
        if self._path is not None:
            self._write(self._path, "a", row)

    def _open(self, path: Path) -> None:
        if path.exists():
            self._resume(path)
        elif any(path.parent.iterdir()):
            rule = "the output directory must be new, empty, or hold this same comparison"
            todo = "Name another directory with --output (output=), or empty this one"
            raise OutputError(message("compare", rule, f"other files in {path.parent}", todo))
        else:
            self._write(path, "w", self._header())

    def _header(self) -> dict[str, Any]:
        return {
            "schema": "imbkit.rows",
            "schema_version": ROWS_VERSION,
            "fingerprint": self._fingerprint,
        }

    def _resume(self, path: Path) -> None:
        """Read the finished rows and cut off a line that was being written at a crash."""
        try:
            content = path.read_bytes()
        except OSError as error:
            rule = "the rows of the earlier run must be readable"
            raise OutputError(message("compare", rule, f"{error.strerror} for {path}")) from error
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if not lines:
            self._write(path, "w", self._header())
            return
        if self._parse(lines[0], path, 1) != self._header():
            rule = "the output directory must be new, empty, or hold this same comparison"
            got = f"{path}, which another table, other options or other versions made"
            todo = "Name another directory with --output (output=), or remove this one"
            raise OutputError(message("compare", rule, got, todo))
        for number, line in enumerate(lines[1:], start=2):
            row = self._parse(line, path, number)
            if set(row) != set(Row.__annotations__):
                raise self._damaged(path, number)
            self._rows[row["cell"]] = row  # type: ignore[assignment]
        if len(whole) < len(content):
            os.truncate(path, len(whole))

    def _parse(self, line: bytes, path: Path, number: int) -> dict[str, Any]:
        try:
            parsed = json.loads(line)
        except ValueError:
            raise self._damaged(path, number) from None
        if not isinstance(parsed, dict):
            raise self._damaged(path, number)
        return parsed

    @staticmethod
    def _damaged(path: Path, number: int) -> OutputError:
        rule = "the rows of the earlier run must be as imbkit wrote them"
        got = f"line {number} of {path}, which is damaged"
        return OutputError(message("compare", rule, got, "Remove that line, or the directory"))

    def _write(self, path: Path, mode: str, record: object) -> None:
        text = json.dumps(record, allow_nan=False) + "\n"
        try:
            with path.open(mode, encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            rule = "finished cells must be written to the output directory"
            got = f"{error.strerror} for {path}"
            todo = "Make room there and run the same command again: finished cells are kept"
            raise OutputError(message("compare", rule, got, todo)) from error
