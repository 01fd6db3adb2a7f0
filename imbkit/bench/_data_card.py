"""Describe the table: its classes, its columns, and what is odd about them."""

import numpy as np

from imbkit._core.messages import listing
from imbkit.bench._columns import Column
from imbkit.bench._plan import Plan
from imbkit.bench._schema import ClassCard, ColumnCard, DataCard

__all__ = ["describe_data"]

MANY_LEVELS = 0.5
"""A category with more levels than this share of the rows looks like an identifier."""


def describe_data(plan: Plan, name: str, dropped: list[str]) -> DataCard:
    """Return the data card of a plan's table."""
    table, codes = plan.table, plan.data.codes
    sizes = np.bincount(plan.duplicates)
    columns = [_describe_column(column, table.n_rows) for column in (*table.columns, *table.unused)]
    contradicting = _contradicting(plan)
    duplicates = int(sizes.size and table.n_rows - sizes.size)
    return DataCard(
        name=name,
        rows=table.n_rows,
        features=len(table.columns),
        missing=sum(c.missing for c in table.columns) / (table.n_rows * len(table.columns)),
        duplicate_rows=duplicates,
        contradicting_rows=contradicting,
        classes=[
            ClassCard(
                label=label,
                rows=int(np.count_nonzero(codes == k)),
                share=float(np.mean(codes == k)),
                fewest_in_test_fold=min(
                    int(np.count_nonzero(codes[split.test] == k)) for split in plan.splits
                ),
                positive=plan.target.kind == "binary" and k == 1,
            )
            for k, label in enumerate(plan.target.labels)
        ],
        columns=columns,
        dropped=dropped,
        warnings=_warnings(plan, columns, duplicates, contradicting),
    )


def _describe_column(column: Column, n_rows: int) -> ColumnCard:
    note = column.note
    if not note and column.kind == "category" and column.levels > MANY_LEVELS * n_rows:
        note = "looks like an identifier: nearly every row has its own value"
    return ColumnCard(
        name=column.name,
        kind=column.kind,
        missing=column.missing / n_rows,
        levels=column.levels,
        note=note,
    )


def _contradicting(plan: Plan) -> int:
    """Rows in groups of equal features that carry more than one label."""
    codes, groups = plan.data.codes, plan.duplicates
    lowest = np.full(int(groups.max()) + 1, codes.max() + 1)
    highest = np.full(lowest.shape, -1)
    np.minimum.at(lowest, groups, codes)
    np.maximum.at(highest, groups, codes)
    return int(np.count_nonzero((lowest != highest)[groups]))


def _warnings(
    plan: Plan, columns: list[ColumnCard], duplicates: int, contradicting: int
) -> list[str]:
    """Sentences on what a reader should know of the table."""
    warnings = []
    if duplicates:
        warnings.append(
            f"{duplicates:,} rows repeat the features of an earlier row. Equal rows were kept on "
            "the same side of every split, so none was both learnt and tested."
        )
    if contradicting:
        warnings.append(
            f"{contradicting:,} rows share their features with a row of another class; no model "
            "can tell them apart."
        )
    unused = [column["name"] for column in columns if column["note"].startswith("not used")]
    if unused:
        warnings.append(f"Columns that carry nothing were not used: {listing(unused)}.")
    identifiers = [c["name"] for c in columns if c["note"].startswith("looks like")]
    if identifiers:
        warnings.append(
            f"Columns that look like identifiers: {listing(identifiers)}. Drop them unless new "
            "rows carry values that were seen before."
        )
    return warnings
