"""Compare on several tables: check all of them, run one after the other, then rank over them."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from imbkit._core.containers import wrap
from imbkit._core.messages import listing, message, nearest_names, require, shorten
from imbkit.bench._comparison import Comparison, Source, run_comparison
from imbkit.bench._files import ensure_directory, write_text
from imbkit.bench._options import Options
from imbkit.bench._page_several import render_several
from imbkit.bench._progress import Progress
from imbkit.bench._schema_several import SEVERAL_NAME, SeveralSummary
from imbkit.bench._summary_several import summarise_several
from imbkit.bench._target import Target, read_target
from imbkit.exceptions import DataError, InvalidParameterError, OutputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparisons", "NamedTable", "compare_tables", "run_tables"]

WHO = "compare_tables"
LONGEST_NAME = 60
BY_COLUMN = ("groups", "time", "sample_weight")
"""Options that must name a column, because every table has rows of its own."""
OWN_FILES = frozenset({"summary.json", "report.html"})


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table of several, with where it came from."""

    X: Any
    y: Any
    source: Source


class Comparisons:
    """What :func:`compare_tables` found; printing it prints the verdict.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        Name of a table -> what was found on it.
    summary : dict
        What they come to.

    Attributes
    ----------
    comparisons : dict of str to Comparison
        Name of a table -> what was found on it.
    summary : dict
        Ranks, tests and verdicts over the tables, as plain numbers and words that
        ``json.dumps`` accepts.

    See Also
    --------
    compare_tables : Makes one.
    Comparison : What is found on one table.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.bench import compare_tables
    >>> tables = {
    ...     name: make_classification(200, weights=[0.8], random_state=seed)
    ...     for seed, name in enumerate(["north", "south"])
    ... }
    >>> chosen = {"strategies": ["class_weight"], "learners": ["logistic"], "cv": (2, 1)}
    >>> found = compare_tables(tables, **chosen)
    >>> sorted(found.comparisons)
    ['north', 'south']
    >>> found.summary["questions"][0]["outcome"]  # two tables allow no test
    'undecided'
    """

    def __init__(self, comparisons: Mapping[str, Comparison], summary: SeveralSummary) -> None:
        self.comparisons = dict(comparisons)
        self.summary = summary

    @property
    def verdict(self) -> list[str]:
        """The verdict in sentences: ranking, decisions, and what limits them."""
        sentences = [question["sentence"] for question in self.summary["questions"]]
        return sentences + self.summary["cautions"]

    def frame(self) -> "pd.DataFrame":
        """Return one row a table, strategy, learner and threshold policy.

        Returns
        -------
        pandas.DataFrame
            A column ``table``, then the columns of :meth:`Comparison.frame`.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", "Comparisons.frame")
        frames = []
        for name, comparison in self.comparisons.items():
            frame = comparison.frame()
            frame.insert(0, "table", name)
            frames.append(frame)
        whole: pd.DataFrame = pandas.concat(frames, ignore_index=True)
        return whole

    def report(self, path: str | Path) -> Path:
        """Write the page of all tables; it links to the pages of the tables beside it.

        Parameters
        ----------
        path : str or Path
            File to write, e.g. ``"report.html"``; its directory exists.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        MissingExtraError
            If jinja2 is not installed.
        """
        path = Path(path)
        directories = (card["directory"] for card in self.summary["tables"])
        linked = {d for d in directories if d and (path.parent / d / "report.html").is_file()}
        write_text(path, render_several(self.summary, linked))
        return path

    def __repr__(self) -> str:
        return "\n".join(self.verdict)

    def _repr_html_(self) -> str:
        page = escape(render_several(self.summary, frozenset()), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 45em; border: 0"></iframe>'


def compare_tables(
    tables: Mapping[str, tuple[Any, Any]],
    *,
    output: str | Path | None = None,
    budget_minutes: float | None = None,
    **options: Any,
) -> Comparisons:
    """Compare strategies for a rare class over several tables.

    To choose for tables that are yet to come, compare on tables that are like them: every
    table counts once, whatever its size. To choose for one table, use :func:`compare`; its
    folds cannot stand in for tables.

    Parameters
    ----------
    tables : mapping of str to pair
        Name of a table -> its features and its labels, as :func:`compare` takes them; at least
        two. All have two classes (or a positive one is named), or all have more.
    output : str or Path, default=None
        Directory for ``summary.json``, ``report.html`` and, in a directory of its own, what
        :func:`compare` leaves behind of each table. An interrupted run with the same
        arguments goes on where it stopped; further tables can be added.
    budget_minutes : float, default=None
        Minutes in all. Every table gets an equal share of what is left when its turn comes.
    **options : dict
        Other options of :func:`compare`, the same for all tables. Groups, times, weights and
        costs that differ by row are given by the name of a column.

    Returns
    -------
    Comparisons
        Verdicts over the tables, one page, and a :class:`Comparison` a table.

    Raises
    ------
    DataError
        If tables are too few, or of two kinds, or a target cannot be used; nothing has run
        then. A table that proves unusable later is reported, and the others are compared.
    InvalidParameterError
        If an option is wrong, or a positive label is missing in a table.
    OutputError
        If `output` holds something else, or cannot be written.

    See Also
    --------
    compare : Does it for one table.

    Notes
    -----
    An entry's score on a table is its mean over the folds. Entries that were finished on every
    table are ranked; from five tables on Friedman's test, in Iman and Davenport's form, asks
    whether they differ at all, and if so, Wilcoxon's exact signed-rank test compares each with
    the baseline, adjusted by Holm's method for their number [1]_. The diagram compares all
    pairs, adjusted for all pairs. n tables give no p-value below 2 / 2**n, so with a whole
    panel of challengers five tables never suffice; the verdict says how many would.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7,
       1-30 (2006).

    Examples
    --------
    >>> from imbkit.bench import compare_tables
    >>> from imbkit.datasets import load_glass, load_yeast
    >>> tables = {
    ...     "headlamps": (load_glass().data, load_glass().target == "headlamps"),
    ...     "membrane": (load_yeast().data, load_yeast().target == "ME1"),
    ... }
    >>> found = compare_tables(tables, quick=True, strategies=["smote"], learners=["logistic"])
    >>> [entry["wins"] for entry in found.summary["questions"][0]["entries"]]
    [0, 0]
    """
    if not isinstance(tables, Mapping):
        rule = "tables must map names to pairs of features and labels"
        raise InvalidParameterError(message(WHO, rule, type(tables).__name__))
    named = []
    for name, pair in tables.items():
        if not isinstance(name, str) or not name.strip():
            raise InvalidParameterError(message(WHO, "a table's name must be a text", name))
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            rule = f"table {shorten(name)} must be a pair of features and labels"
            raise InvalidParameterError(message(WHO, rule, type(pair).__name__))
        X, y = pair
        target = str(getattr(y, "name", None) or "target")
        named.append(NamedTable(X, y, Source(name=name, target=target)))
    return run_tables(named, output=output, budget_minutes=budget_minutes, options=options)


def run_tables(
    tables: Sequence[NamedTable],
    *,
    output: str | Path | None,
    budget_minutes: float | None,
    options: Mapping[str, Any],
    command: str = "",
    progress: Callable[[str], Progress | None] = lambda name: None,
) -> Comparisons:
    """Do the work of `compare_tables`, for the command line, too.

    `progress` is asked for what is to be told of the cells of a table, by its name.
    """
    start = time.monotonic()
    _check_options(options, budget_minutes)
    _check_tables(tables, options.get("positive"))
    directories = dict(zip((t.source.name for t in tables), _directories(tables), strict=True))
    root = None if output is None else Path(output)
    if root is not None:
        _claim(root, directories.values())
    found: dict[str, Comparison] = {}
    problems: dict[str, str] = {}
    for place, table in enumerate(tables):
        name = table.source.name
        share = None
        if budget_minutes is not None:
            left = budget_minutes - (time.monotonic() - start) / 60
            share = max(left / (len(tables) - place), 1e-9)
        directory = None if root is None else root / directories[name]
        try:
            found[name] = _run_one(table, options, directory, share, progress(name))
        except DataError as error:
            # What the others found must not be lost with it.
            problems[name] = _without_complainant(error)
    if not found:
        name, why = next(iter(problems.items()))
        rule = "at least one table must be one that can be compared"
        raise DataError(message(WHO, rule, f"{len(problems)} that cannot; {shorten(name)}: {why}"))
    summary = summarise_several(
        {name: comparison.summary for name, comparison in found.items()},
        problems,
        {} if root is None else directories,
        wall_seconds=time.monotonic() - start,
    )
    if command:
        summary["command"] = command
    comparisons = Comparisons(found, summary)
    if root is not None:
        text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(root / "summary.json", text + "\n")
        comparisons.report(root / "report.html")
    return comparisons


def _run_one(
    table: NamedTable,
    options: Mapping[str, Any],
    directory: Path | None,
    budget_minutes: float | None,
    progress: Progress | None,
) -> Comparison:
    given = {**options, "output": directory, "budget_minutes": budget_minutes}
    return run_comparison(table.X, table.y, source=table.source, progress=progress, **given)


def _check_options(options: Mapping[str, Any], budget_minutes: float | None) -> None:
    """Complain of options that `compare` does not take, or that suit one table only."""
    known = [field.name for field in fields(Options)]
    for name in options:
        if name not in known:
            near = nearest_names(name, known)
            todo = f"Did you mean {listing(near)}?" if near else f"Known are {', '.join(known)}"
            rule = "an option must be one that compare has"
            raise InvalidParameterError(message(WHO, rule, name, todo))
    asked = Options(**options, budget_minutes=budget_minutes).checked()
    if options.get("test") is not None:
        _refuse_option("test must not be given with several tables", options["test"])
    if asked.has_stages:
        _refuse_option("ordered must not be given with several tables", options["ordered"])
    by_row = {name: options.get(name) for name in BY_COLUMN}
    by_row |= {name: v for name, v in (options.get("costs") or {}).items() if np.ndim(v)}
    for name, value in by_row.items():
        if value is not None and not isinstance(value, str):
            _refuse_option(f"{name} must name a column that every table has", value)


def _refuse_option(rule: str, value: object) -> NoReturn:
    todo = "Compare the tables one by one with compare, or leave it out"
    raise InvalidParameterError(message(WHO, rule, type(value).__name__, todo))


def _check_tables(tables: Sequence[NamedTable], positive: Any) -> None:
    """See that the tables belong together, before anything runs."""
    if len(tables) < 2:
        rule = "at least two tables are needed"
        raise DataError(message(WHO, rule, len(tables), "Use compare for one table"))
    twice = [name for name, n in Counter(t.source.name for t in tables).items() if n > 1]
    if twice:
        raise DataError(message(WHO, "tables must have different names", listing(twice)))
    seen: dict[int, str] = {}
    for table in tables:
        other = seen.setdefault(id(table.X), table.source.name)
        if other != table.source.name:
            got = f"the same features under {listing([other, table.source.name])}"
            todo = "Leave one out: a table that counts twice makes differences look surer"
            raise DataError(message(WHO, "tables must be different", got, todo))
    targets = {table.source.name: _read_target(table, positive) for table in tables}
    kinds = Counter(target.kind for target in targets.values())
    if len(kinds) > 1:
        fewer = min(kinds, key=lambda kind: kinds[kind])
        odd = [name for name, target in targets.items() if target.kind == fewer]
        counts = sorted({len(targets[name].labels) for name in odd})
        usual = "two classes" if fewer == "multiclass" else "more than two"
        classes = " or ".join(map(str, counts))
        rule = "all tables must have two classes, or all more than two"
        got = f"{classes} classes in {listing(odd)}, {usual} in the others"
        todo = "Name the positive classes, or compare these tables apart"
        raise DataError(message(WHO, rule, got, todo))


def _read_target(table: NamedTable, positive: Any) -> Target:
    """Return the target of a table; a complaint names the table."""
    name = shorten(table.source.name)
    try:
        target = read_target(table.y, positive, table.source.target)
        n_rows = wrap(table.X, who=WHO).n_rows
    except (DataError, InvalidParameterError) as error:
        text = f"{WHO}: table {name}: {_without_complainant(error)}"
        raise type(error)(text) from error
    if n_rows != target.codes.size:
        rule = f"features and labels of table {name} must have the same number of rows"
        raise DataError(message(WHO, rule, f"{n_rows:,} and {target.codes.size:,}"))
    return target


def _without_complainant(error: Exception) -> str:
    return str(error).partition(": ")[2] or str(error)


def _directories(tables: Iterable[NamedTable]) -> list[str]:
    """Return a directory name a table: plain letters, and no two alike on any file system."""
    taken = {name.casefold() for name in OWN_FILES}
    names = []
    for table in tables:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", table.source.name)[:LONGEST_NAME].strip("._-")
        stem = plain or "table"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _claim(root: Path, directories: Iterable[str]) -> None:
    """Make the output directory, or see that it is one of an earlier run of these tables."""
    ensure_directory(root)
    own = OWN_FILES | set(directories)
    # A file that was being written at a crash has a name that begins with a point.
    others = [path.name for path in root.iterdir() if path.name not in own]
    others = [name for name in others if not re.fullmatch(r"\.(summary|report)\..*\.tmp", name)]
    rule = "the output directory must be new, empty, or hold a comparison of these tables"
    todo = "Name another directory with --output (output=), or empty this one"
    if others:
        got = f"{listing(sorted(others))} in {shorten(str(root), 200)}"
        raise OutputError(message(WHO, rule, got, todo))
    summary = root / "summary.json"
    if summary.exists() and not _is_ours(summary):
        got = f"a summary.json of something else in {shorten(str(root), 200)}"
        raise OutputError(message(WHO, rule, got, todo))


def _is_ours(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("schema") == SEVERAL_NAME
