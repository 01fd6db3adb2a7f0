"""The append-only record of finished cells, from which an interrupted run goes on.

``rows.jsonl`` holds a header line, then one line a cell, and one line a run that describes the
comparison. The header carries a fingerprint of everything that a cell's scores depend on; a
file with another fingerprint is refused. Every line carries a checksum of its own, so that a
change by hand does not go unnoticed. Raise `ROWS_VERSION` when a row changes its meaning:
older files are then refused, too.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypedDict

from imbkit._core.messages import message
from imbkit.bench._schema_curves import ProbabilityErrors
from imbkit.bench._splits import Split
from imbkit.exceptions import OutputError

__all__ = ["ROWS_VERSION", "Row", "RowStore", "cell_name", "new_row", "read_rows"]

ROWS_VERSION = 3
SCHEMA = "imbkit.rows"


class Row(TypedDict):
    """What one cell found."""

    cell: str
    """``strategy/learner/repeat/fold``; ``strategy/learner/random/fold`` for the splits that
    stand beside those in time."""
    strategy: str
    learner: str
    part: Literal["main", "random"]
    repeat: int
    fold: int
    status: Literal["done", "failed"]
    n_train: int
    n_test: int
    scores: dict[str, float | None]
    """Threshold-free metrics; None where undefined."""
    errors: dict[str, float | None]
    """Their bootstrap standard errors."""
    policies: dict[str, dict[str, float | None]]
    """Policy -> metrics, and ``"threshold"`` where there is one."""
    policy_errors: dict[str, dict[str, float | None]]
    recalls: dict[str, dict[str, float | None]]
    """Policy -> recall of each class, by the class's number."""
    class_weights: list[float]
    """By which the policy ``"tuned"`` weighs the probability of each of many classes, by the
    class's number, that of the commonest class being 1; else empty."""
    class_costs: dict[str, list[float | None]]
    """Policy -> mean cost of the negative rows, and of the positive ones; empty without costs."""
    curve: dict[str, list[Any]]
    """Counts at falling cut-offs, see `_thin`; empty for many classes."""
    reliability: list[list[float]]
    """Rows, sum of probabilities and positives in each interval of `_repair.EDGES`."""
    repaired: list[list[float]]
    """The same after the repair."""
    repair: Literal["none", "sigmoid"]
    calibration: dict[str, ProbabilityErrors]
    """Errors of the probabilities ``"before"`` the repair and, if there was one, ``"after"`` it;
    empty for many classes and for learners without probabilities."""
    warnings: dict[str, int]
    """Text -> times raised."""
    error: str
    fit_seconds: float
    predict_seconds: float
    model_bytes: int


def new_row(strategy: str, learner: str, split: Split) -> Row:
    """Return the row of a cell that has found nothing yet."""
    return Row(
        cell=cell_name(strategy, learner, split.repeat, split.fold, split.part),
        strategy=strategy,
        learner=learner,
        part=split.part,
        repeat=split.repeat,
        fold=split.fold,
        status="done",
        n_train=split.train.size,
        n_test=split.test.size,
        scores={},
        errors={},
        policies={},
        policy_errors={},
        recalls={},
        class_weights=[],
        class_costs={},
        curve={},
        reliability=[],
        repaired=[],
        repair="none",
        calibration={},
        warnings={},
        error="",
        fit_seconds=0.0,
        predict_seconds=0.0,
        model_bytes=0,
    )


def cell_name(
    strategy: str, learner: str, repeat: int, fold: int, part: Literal["main", "random"] = "main"
) -> str:
    """Return the identifier of a cell."""
    return f"{strategy}/{learner}/{repeat if part == 'main' else part}/{fold}"


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
        self._card: Any = None
        self._path = None if directory is None else directory / "rows.jsonl"
        self._header = {
            "schema": SCHEMA,
            "schema_version": ROWS_VERSION,
            "fingerprint": fingerprint,
        }
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
            _write(self._path, "a", row)

    def describe(self, plan: Any, end: Any = None) -> None:
        """Add the description of the comparison, from which a page can be made again.

        Parameters
        ----------
        plan : dict
            What is compared.
        end : dict, default=None
            What the end of the run found, if it came to an end.
        """
        card = {"plan": plan, "end": end}
        if self._path is not None and not _says_more(card, self._card):
            return
        self._card = card
        if self._path is not None:
            _write(self._path, "a", card)

    def _open(self, path: Path) -> None:
        if path.exists():
            self._resume(path)
        elif any(path.parent.iterdir()):
            rule = "the output directory must be new, empty, or hold this same comparison"
            todo = "Name another directory with --output (output=), or empty this one"
            raise OutputError(message("compare", rule, f"other files in {path.parent}", todo))
        else:
            _write(path, "w", self._header)

    def _resume(self, path: Path) -> None:
        """Read the finished rows and cut off a line that was being written at a crash."""
        header, self._card, self._rows, whole = _parse_file(path, "compare")
        if header is None:
            _write(path, "w", self._header)
            return
        if header != self._header:
            rule = "the output directory must be new, empty, or hold this same comparison"
            got = f"{path}, which another table, other options or other versions made"
            todo = "Name another directory with --output (output=), or remove this one"
            raise OutputError(message("compare", rule, got, todo))
        if whole < path.stat().st_size:
            os.truncate(path, whole)


def read_rows(directory: Path) -> tuple[Any, Any, list[Row]]:
    """Return the plan of a comparison, its end (None if it was interrupted), and its rows.

    Raises
    ------
    OutputError
        If there is no ``rows.jsonl``, or one of another version, or it was changed.
    """
    who, path = "report", directory / "rows.jsonl"
    rule = "the directory must hold the rows.jsonl of a comparison"
    if not path.is_file():
        todo = "Run `imbkit compare` first, with --output naming this directory"
        inner = sorted(each.parent.name for each in directory.glob("*/rows.jsonl"))
        if inner:
            todo = f"It holds those of several tables: name {directory / inner[0]}, for instance"
        raise OutputError(message(who, rule, f"none in {directory}", todo))
    header, card, rows, _ = _parse_file(path, who)
    if header is None or header.get("schema") != SCHEMA:
        raise OutputError(message(who, rule, f"{path}, which is not one"))
    if header.get("schema_version") != ROWS_VERSION:
        rule = f"rows.jsonl must be of version {ROWS_VERSION}"
        todo = "Render it with the version of imbkit that made it, or run the comparison again"
        raise OutputError(message(who, rule, f"version {header.get('schema_version')}", todo))
    if card is None:
        rule = "the rows must come with the description of their comparison"
        todo = "Give the same `imbkit compare` command again: finished cells are kept"
        raise OutputError(message(who, rule, f"none in {path}", todo))
    return card["plan"], card["end"], list(rows.values())


def _parse_file(path: Path, who: str) -> tuple[dict[str, Any] | None, Any, dict[str, Row], int]:
    """Return header, description, rows, and the bytes of the whole lines."""
    try:
        content = path.read_bytes()
    except OSError as error:
        rule = "the rows of the earlier run must be readable"
        raise OutputError(message(who, rule, f"{error.strerror} for {path}")) from error
    whole = content.rfind(b"\n") + 1
    card, rows = None, {}
    lines = content[:whole].splitlines()
    header = _parse(lines[0], path, 1, who) if lines else None
    known = header is not None and header.get("schema_version") == ROWS_VERSION
    for number, line in enumerate(lines[1:] if known else (), start=2):
        record = _parse(line, path, number, who)
        if set(record) == {"plan", "end"}:
            card = record
        elif set(record) == set(Row.__annotations__):
            rows[record["cell"]] = Row(**record)  # type: ignore[typeddict-item]
        else:
            raise _damaged(path, number, who)
    return header, card, rows, whole


def _says_more(card: Any, known: Any) -> bool:
    """Whether a description has anything that the file has not; times do not count."""
    if known is None or _checksum(card["plan"]) != _checksum(known["plan"]):
        return True
    end, before = card["end"], known["end"]
    if end is None or before is None:
        return end is not None
    return _checksum(end | {"wall_seconds": 0}) != _checksum(before | {"wall_seconds": 0})


def _parse(line: bytes, path: Path, number: int, who: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
        given = record.pop("check", None) if isinstance(record, dict) else None
        right = given == _checksum(record)
    except ValueError:  # no JSON, or a number that is none
        raise _damaged(path, number, who) from None
    # Headers of older versions have no checksum; their version is complained of instead.
    if not isinstance(record, dict) or not (right or "schema_version" in record):
        raise _damaged(path, number, who)
    return record


def _damaged(path: Path, number: int, who: str) -> OutputError:
    rule = "the rows of the earlier run must be as imbkit wrote them"
    got = f"line {number} of {path}, which is damaged or was changed"
    todo = "Remove that line, and its cell is run again; or remove the directory"
    return OutputError(message(who, rule, got, todo))


def _checksum(record: object) -> str:
    text = json.dumps(record, allow_nan=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(path: Path, mode: str, record: Any) -> None:
    text = json.dumps({**record, "check": _checksum(record)}, allow_nan=False) + "\n"
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
