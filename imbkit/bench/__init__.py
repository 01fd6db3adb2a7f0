"""Compare strategies for a rare class on one table, honestly.

A comparison goes one way: `_plan` (table, target, splits, entries, seeds; all checked before
anything runs) -> `_cell` (one fit and score, a pure function of the plan) -> `_rows` (an
append-only file, from which an interrupted run goes on) -> `_stats` and `_verdict` ->
`_summary` (a plain dictionary, described in `_schema`) -> `_report` (one page, no arithmetic).

To add a strategy or a learner to the default panel, add one entry to `_panel.py`. From
outside, pass a :class:`Strategy`, a sampler, a classifier or an import path to
:func:`compare`.
"""

from imbkit.bench._columns import plain_table
from imbkit.bench._comparison import Comparison, compare
from imbkit.bench._panel import Learner, Strategy, Task
from imbkit.bench._read_table import choose_columns, read_table

__all__ = [
    "Comparison",
    "Learner",
    "Strategy",
    "Task",
    "choose_columns",
    "compare",
    "plain_table",
    "read_table",
]
