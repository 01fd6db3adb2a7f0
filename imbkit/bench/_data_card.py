"""Describe the table: its classes, its columns, and what is odd about them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imbkit._core.messages import listing, shorten
from imbkit._core.types import BoolArray, IntArray
from imbkit.bench._columns import Column, Table
from imbkit.bench._leaks import beyond_luck
from imbkit.bench._schema_data import ClassCard, ColumnCard, DataCard, LeakCard, PeriodCard
from imbkit.bench._target import Target
from imbkit.splits._times import Times

if TYPE_CHECKING:
    from imbkit.bench._plan import Plan

__all__ = ["describe_data", "describe_table"]

MOST_PERIODS = 24
DAY = 86_400.0
DATE_LENGTHS = (1.0, 10.0, 60.0, 600.0, 3600.0, DAY / 4, *(DAY * k for k in (1, 7, 28, 91, 182)))
"""Seconds."""
MOST_SENTENCES = 3
"""Sentences of one kind; further columns are named together."""
UNEVEN = 0.2
"""Difference of the shares of missing values between classes that is worth a word."""
NOTES = {
    "perfect": "gives the target away, or seems to",
    "outcome": "may be known only after the outcome",
    "identifier": "looks like an identifier: nearly every row has its own value",
    "order": "runs with the position of the rows",
}


def describe_data(plan: "Plan", name: str, dropped: Sequence[str]) -> DataCard:
    """Return the data card of a plan's table."""
    return describe_table(
        plan.table,
        plan.target,
        name=name,
        dropped=dropped,
        duplicates=plan.duplicates,
        near_duplicates=plan.near_duplicates,
        leaks=plan.leaks,
        times=plan.times,
        time_name=plan.time_name,
        groups=plan.given_groups,
        group_name=plan.group_name,
        test_folds=[split.test for split in plan.splits],
    )


def describe_table(
    table: Table,
    target: Target,
    *,
    name: str,
    dropped: Sequence[str],
    duplicates: IntArray,
    near_duplicates: IntArray | None,
    leaks: Sequence[LeakCard],
    times: Times | None,
    time_name: str,
    groups: IntArray | None,
    group_name: str,
    test_folds: Sequence[IntArray] | None,
) -> DataCard:
    """Return the data card of a table.

    Parameters
    ----------
    table : Table
        The features.
    target : Target
        The classes.
    name : str
        Of the table, for people.
    dropped : sequence of str
        Columns left out on request.
    duplicates, near_duplicates : ndarray of shape (n_rows,)
        Groups of rows with equal features, from 0; and of those that are equal but for columns
        like identifiers and times, None if there are no more of them.
    leaks : sequence of LeakCard
        Columns that give the target away, or seem to.
    times : Times or None
        Time of each row.
    time_name, group_name : str
        Names of these columns; empty if there is none.
    groups : ndarray of shape (n_rows,) or None
        The user's groups, from 0.
    test_folds : sequence of ndarray or None
        Positions of each test fold's rows; None where nothing is split.
    """
    codes, n_rows = target.codes, table.n_rows
    duplicate_rows = _copies(duplicates)
    contradicting = _contradicting(codes, duplicates)
    near = duplicate_rows if near_duplicates is None else _copies(near_duplicates)
    positive = 1 if target.kind == "binary" else None
    classes = _classes(codes, target.labels, positive, test_folds or ())
    stages = []
    if target.stages is not None:
        last = len(target.stages.labels) - 1
        stages = _classes(target.stages.codes, target.stages.labels, last, test_folds or ())
    kinds = {leak["column"]: leak["kind"] for leak in reversed(leaks)}
    columns = [
        _describe_column(column, n_rows, kinds.get(column.name, ""))
        for column in (*table.columns, *table.unused)
    ]
    watched = 1 if target.kind == "binary" else int(np.bincount(codes).argmin())
    return DataCard(
        name=name,
        rows=n_rows,
        features=len(table.columns),
        missing=sum(c.missing for c in table.columns) / (n_rows * len(table.columns)),
        duplicate_rows=duplicate_rows,
        contradicting_rows=contradicting,
        near_duplicate_rows=near,
        group_column=group_name,
        groups=0 if groups is None else int(groups.max()) + 1,
        time_column=time_name,
        time_start="" if times is None else times.text(float(times.values.min())),
        time_end="" if times is None else times.text(float(times.values.max())),
        periods=[] if times is None else _periods(times, codes == watched),
        leaks=list(leaks),
        classes=classes,
        stages=stages,
        columns=columns,
        dropped=list(dropped),
        warnings=[
            *_on_copies(duplicate_rows, contradicting, near),
            *_on_leaks(leaks),
            *_on_missing_values(table, target, set(kinds)),
            *_on_unused(table),
        ],
    )


def _classes(
    codes: IntArray, labels: Sequence[str], positive: int | None, folds: Sequence[IntArray]
) -> list[ClassCard]:
    """Return the card of each class; `positive` is the code of the positive one."""
    return [
        ClassCard(
            label=label,
            rows=int(np.count_nonzero(codes == k)),
            share=float(np.mean(codes == k)),
            fewest_in_test_fold=min(
                (int(np.count_nonzero(codes[test] == k)) for test in folds), default=0
            ),
            positive=k == positive,
        )
        for k, label in enumerate(labels)
    ]


def _describe_column(column: Column, n_rows: int, leak: str) -> ColumnCard:
    return ColumnCard(
        name=column.name,
        kind=column.kind,
        missing=column.missing / n_rows,
        levels=column.levels,
        note=column.note or NOTES.get(leak, ""),
    )


def _copies(groups: IntArray) -> int:
    """Count the rows that are not the first of their group."""
    return groups.size - int(groups.max()) - 1


def _contradicting(codes: IntArray, groups: IntArray) -> int:
    """Rows in groups of equal features that carry more than one label."""
    lowest = np.full(int(groups.max()) + 1, codes.max() + 1)
    highest = np.full(lowest.shape, -1)
    np.minimum.at(lowest, groups, codes)
    np.maximum.at(highest, groups, codes)
    return int(np.count_nonzero((lowest != highest)[groups]))


def _periods(times: Times, watched: BoolArray) -> list[PeriodCard]:
    """Count rows and watched rows in stretches of equal, round length."""
    first, last = float(times.values.min()), float(times.values.max())
    most = min(MOST_PERIODS, np.unique(times.values).size)
    # Weeks begin with the first day: no calendar is asked.
    for length in _round_lengths(times.is_date, last - first):
        grid = min(length, DAY) if times.is_date else length
        start = np.floor(first / grid) * grid
        place = np.floor((times.values - start) / length).astype(np.intp)
        if place.max() < most:
            break
    rows = np.bincount(place)
    positives = np.bincount(place[watched], minlength=rows.size)
    # Twelve digits are those of round numbers; the last few are of the sum.
    starts = [float(f"{start + k * length:.12g}") for k in range(rows.size)]
    return [
        PeriodCard(start=times.text(begin), rows=int(rows[k]), positives=int(positives[k]))
        for k, begin in enumerate(starts)
    ]


def _round_lengths(is_date: bool, span: float) -> Iterator[float]:
    """Yield lengths of time that people use, from a small part of the span upwards."""
    if is_date:
        yield from DATE_LENGTHS
    smallest = np.floor(np.log10(span / 1000)) if span else 0
    unit = 364 * DAY if is_date else 10.0**smallest
    while True:
        yield from (unit, 2 * unit, 5 * unit)
        unit *= 10


def _on_copies(duplicates: int, contradicting: int, near: int) -> list[str]:
    sentences = []
    if duplicates:
        sentences.append(
            f"{duplicates:,} rows repeat the features of an earlier row. Equal rows are kept on "
            "the same side of every split, so that none is both learnt and tested."
        )
    if near > duplicates:
        sentences.append(
            f"{near - duplicates:,} more rows repeat an earlier one in all but columns that look "
            "like identifiers or times. They are kept together in the same way."
        )
    if contradicting:
        sentences.append(
            f"{contradicting:,} rows share their features with a row of another class; no model "
            "can tell them apart."
        )
    return sentences


def _on_leaks(leaks: Sequence[LeakCard]) -> list[str]:
    """The sentences on leaks; columns beyond the first few of a kind are only named."""
    sentences = []
    for kind in dict.fromkeys(leak["kind"] for leak in leaks):
        alike = [leak for leak in leaks if leak["kind"] == kind]
        sentences += [leak["text"] for leak in alike[:MOST_SENTENCES]]
        if rest := [leak["column"] for leak in alike[MOST_SENTENCES:]]:
            sentences.append(f"The same goes for {listing(rest)}.")
    return sentences


def _on_missing_values(table: Table, target: Target, known: set[str]) -> list[str]:
    """Say where one class has far more values missing than the others, beyond luck."""
    codes, n_rows = target.codes, table.n_rows
    sizes = np.bincount(codes)
    watched = (1,) if target.kind == "binary" else range(sizes.size)
    found = []
    for column, values in zip(table.columns, table.matrix.T, strict=True):
        if not column.missing or column.name in known:
            continue
        missing = np.bincount(codes[np.isnan(values)], minlength=sizes.size)
        for k in watched:
            inside = missing[k] / sizes[k]
            outside = (column.missing - missing[k]) / (n_rows - sizes[k])
            marked, hits = column.missing, int(missing[k])
            if inside < outside:
                marked, hits = n_rows - marked, int(sizes[k]) - hits
            if abs(inside - outside) >= UNEVEN and beyond_luck(
                marked, hits, sizes[k] / n_rows, len(table.columns)
            ):
                text = (
                    f"{shorten(column.name)} is missing in {inside:.0%} of the rows of class "
                    f"{shorten(target.labels[k])} and in {outside:.0%} of the others. If values "
                    "are missing because of the outcome, or are looked up only on suspicion, the "
                    "gaps give it away."
                )
                found.append((abs(inside - outside), column.name, text))
    found.sort(key=lambda each: -each[0])
    sentences = [text for _, _, text in found[:MOST_SENTENCES]]
    shown = {name for _, name, _ in found[:MOST_SENTENCES]}
    if rest := dict.fromkeys(name for _, name, _ in found if name not in shown):
        sentences.append(f"The same goes for {listing(rest)}.")
    return sentences


def _on_unused(table: Table) -> list[str]:
    if not table.unused:
        return []
    names = [column.name for column in table.unused]
    return [f"Columns that carry nothing were not used: {listing(names)}."]
