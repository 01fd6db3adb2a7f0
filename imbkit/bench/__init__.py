"""Compare strategies for a rare class on one table or several, honestly.

A comparison goes one way: `_plan` (table, target, splits, entries, seeds; all checked before
anything runs) -> `_cell` (one fit and score, a pure function of the plan) -> `_rows` (an
append-only file, from which an interrupted run goes on) -> `_stats` and `_verdict` ->
`_summary` (a plain dictionary, described in `_schema`) -> `_report` (one page, no arithmetic).
Several tables go that way one by one (`_several`), and their summaries -> `_summary_several`
(ranks and tests over tables, by `_ranks`) -> `_page_several`.

A target of stages with a rare last one (`_stages`) is compared as two classes, by models that
may be trained on all stages (`_ordered`), always beside a constant (`_skill`).

To add a strategy or a learner to the default panel, add one entry to `_panel.py`, for stages to
`_ordered.py`. From
outside, pass a :class:`Strategy`, a sampler, a classifier or an import path to
:func:`compare`.
"""

from imbkit.bench._columns import plain_table
from imbkit.bench._comparison import Comparison, compare
from imbkit.bench._panel import Learner, Strategy, Task
from imbkit.bench._read_table import choose_columns, read_table
from imbkit.bench._several import Comparisons, compare_tables

__all__ = [
    "Comparison",
    "Comparisons",
    "Learner",
    "Strategy",
    "Task",
    "choose_columns",
    "compare",
    "compare_tables",
    "plain_table",
    "read_table",
]
