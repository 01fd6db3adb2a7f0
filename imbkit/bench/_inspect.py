"""Describe a table without fitting anything: the data card alone, as data and for a terminal."""

import textwrap
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit.bench._columns import duplicate_groups, read_columns
from imbkit.bench._data_card import describe_table
from imbkit.bench._figures import share_text
from imbkit.bench._inert import inert, wrapped
from imbkit.bench._leaks import find_leaks, near_duplicate_groups
from imbkit.bench._options import Options
from imbkit.bench._roles import read_roles
from imbkit.bench._schema_data import DataCard
from imbkit.bench._target import read_target
from imbkit.exceptions import DataError

__all__ = ["inspect_table", "render_card"]

LONGEST_SENTENCE = 600
LONGEST_NAME = 40
MOST_COLUMNS = 10
"""Columns whose missing values are listed."""
MOST_CLASSES = 20
BAR = 24
"""Characters of the longest bar."""


def inspect_table(
    X: Any,
    y: ArrayLike,
    *,
    positive: Any = None,
    time: Any = None,
    groups: Any = None,
    name: str = "table",
    target_name: str = "target",
    dropped: Sequence[str] = (),
) -> DataCard:
    """Return the data card of a table.

    Parameters
    ----------
    X : DataFrame of pandas or polars, ndarray or sparse matrix, shape (n_rows, n_columns)
        The features.
    y : array-like of shape (n_rows,)
        Labels, none missing.
    positive : label or list of labels, default=None
        Labels that are positive; None takes the rarer of two labels.
    time, groups : str or array-like of shape (n_rows,), default=None
        Time and group of each row, or the name of their column in `X`, which is no feature
        then.
    name, target_name : str
        Of the table and of its target, for people.
    dropped : sequence of str, default=()
        Columns left out on request; they are only named.

    Raises
    ------
    DataError
        If table or target cannot be compared.
    InvalidParameterError
        If a positive label does not occur.
    """
    target = read_target(y, positive, target_name)
    roles = read_roles(X, target.codes.size, Options(time=time, groups=groups))
    table = read_columns(roles.X)
    if table.n_rows != target.codes.size:
        rule = "table and target must have the same number of rows"
        raise DataError(message("inspect", rule, f"{table.n_rows:,} and {target.codes.size:,}"))
    duplicates = duplicate_groups(table.matrix)
    leaks = find_leaks(
        table,
        target.codes,
        target.labels,
        positive=1 if target.kind == "binary" else None,
        order_matters=roles.times is None,
    )
    return describe_table(
        table,
        target,
        name=name,
        dropped=dropped,
        duplicates=duplicates,
        near_duplicates=near_duplicate_groups(table, leaks, duplicates),
        leaks=leaks,
        times=roles.times,
        time_name=roles.names["time"],
        groups=roles.groups,
        group_name=roles.names["group"],
        test_folds=None,
    )


def render_card(card: DataCard, width: int = 88) -> str:
    """Return a data card as text for a terminal, everything from the data made inert."""
    lines = [wrapped(label, inert(text, LONGEST_SENTENCE), width) for label, text in _facts(card)]
    lines += ["", "Classes", *_class_lines(card)]
    if card["periods"]:
        lines += ["", f"Rows over time (in brackets {_watched(card)})", *_period_lines(card)]
    if missing := _missing_lines(card):
        lines += ["", "Missing values", *missing]
    sentences = card["warnings"] or ["Nothing odd was found."]
    lines += ["", "What to know"]
    lines += [
        textwrap.fill(
            inert(text, LONGEST_SENTENCE), width, initial_indent="  - ", subsequent_indent=" " * 4
        )
        for text in sentences
    ]
    return "\n".join(lines)


def _facts(card: DataCard) -> list[tuple[str, str]]:
    """Return the counts, each with its label."""
    features = f"{card['features']:,} features"
    if card["dropped"]:
        features += f", {len(card['dropped']):,} columns dropped"
    facts = [
        ("Table", card["name"]),
        ("Rows", f"{card['rows']:,}, {features}"),
        (
            "Copies",
            f"{card['duplicate_rows']:,} rows repeat an earlier one; "
            f"{card['contradicting_rows']:,} equal a row of another class",
        ),
    ]
    if card["near_duplicate_rows"] > card["duplicate_rows"]:
        near = f"{card['near_duplicate_rows']:,} rows do so but for identifiers and times"
        facts.append(("", near))
    if card["group_column"]:
        groups = f"{card['groups']:,} in {inert(card['group_column'], LONGEST_NAME)}"
        facts.append(("Groups", groups))
    if card["time_column"]:
        span = f"{card['time_start']} to {card['time_end']}"
        facts.append(("Time", f"{span} in {inert(card['time_column'], LONGEST_NAME)}"))
    return facts


def _class_lines(card: DataCard) -> list[str]:
    shown = card["classes"][:MOST_CLASSES]
    names = [inert(each["label"], LONGEST_NAME) for each in shown]
    wide = max(map(len, names))
    lines = [
        f"  {name:<{wide}}  {each['rows']:>12,}  {share_text(each['share']):>8}"
        f"{'  positive' if each['positive'] else ''}"
        for name, each in zip(names, shown, strict=True)
    ]
    return lines + _and_more(len(card["classes"]) - len(shown), "classes")


def _period_lines(card: DataCard) -> list[str]:
    periods = card["periods"]
    most = max(period["rows"] for period in periods)
    wide = max(len(period["start"]) for period in periods)
    lines = []
    for period in periods:
        watched = f"({period['positives']:,})"
        bar = "#" * -(-period["rows"] * BAR // most)
        line = f"  {period['start']:<{wide}}  {period['rows']:>10,}  {watched:>8}  {bar}"
        lines.append(line.rstrip())
    return lines


def _missing_lines(card: DataCard) -> list[str]:
    columns = [c for c in card["columns"] if c["missing"]]
    columns.sort(key=lambda column: -column["missing"])
    shown = columns[:MOST_COLUMNS]
    names = [inert(column["name"], LONGEST_NAME) for column in shown]
    wide = max(map(len, names), default=0)
    lines = [
        f"  {name:<{wide}}  {share_text(column['missing']):>8}"
        for name, column in zip(names, shown, strict=True)
    ]
    return lines + _and_more(len(columns) - len(shown), "columns")


def _watched(card: DataCard) -> str:
    """The class that is counted over time, in words."""
    positive = [each["label"] for each in card["classes"] if each["positive"]]
    rarest = min(card["classes"], key=lambda each: each["rows"])["label"]
    return f"those of class {inert((positive or [rarest])[0], LONGEST_NAME)}"


def _and_more(count: int, what: str) -> list[str]:
    return [f"  and {count:,} more {what}"] if count > 0 else []
