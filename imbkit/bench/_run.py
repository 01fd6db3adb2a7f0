"""Run the cells that are not finished yet, under any joblib backend."""

import time
import warnings
from collections.abc import Generator, Iterator, Sequence

from joblib import Parallel, delayed

from imbkit._core.messages import message
from imbkit._core.threads import one_thread
from imbkit.bench._cell import Cell, run_cell
from imbkit.bench._plan import Plan
from imbkit.bench._progress import Progress
from imbkit.bench._rows import Row, RowStore
from imbkit.exceptions import InvalidParameterError

__all__ = ["run_plan"]


def run_plan(
    plan: Plan,
    store: RowStore,
    *,
    n_jobs: int | None,
    budget_seconds: float | None,
    progress: Progress,
) -> None:
    """Run what is left of a plan and put the rows into the store.

    Parameters
    ----------
    plan : Plan
        What to run.
    store : RowStore
        Knows the finished cells and takes the new rows, each as soon as it comes.
    n_jobs : int or None
        Cells at a time, as joblib understands it. Each cell keeps to one thread.
    budget_seconds : float or None
        No cell starts later than this; cells that run are finished.
    progress : Progress
        Is told of every cell.
    """
    if n_jobs == 0:
        rule = "n_jobs must be a positive or a negative number, or None"
        todo = "Use 1 for one cell at a time"
        raise InvalidParameterError(message("compare", rule, n_jobs, todo))
    pending = [cell for cell in plan.cells if not store.finished(cell.name)]
    progress.start(len(plan.cells), len(plan.cells) - len(pending))
    deadline = None if budget_seconds is None else time.monotonic() + budget_seconds
    # Cells wait in line only where no deadline could pass while they do.
    ahead = "2 * n_jobs" if deadline is None else "n_jobs"
    parallel = Parallel(
        n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=ahead
    )
    try:
        # Threads of the libraries are a setting of the whole process: held here, too, so that
        # no cell of a thread pool gives them back while another one runs.
        with one_thread():
            tasks = (delayed(run_cell)(cell, plan.data) for cell in _until(deadline, pending))
            rows = parallel(tasks)
            try:
                for row in rows:
                    store.append(row)
                    progress.advance(row["cell"], row["status"] == "failed", row["fit_seconds"])
            except BaseException:
                _cancel(rows)
                raise
    finally:
        progress.close()


def _cancel(rows: Generator[Row, None, None]) -> None:
    """End the cells that still run; joblib would warn of them, but the error tells more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows.close()


def _until(deadline: float | None, cells: Sequence[Cell]) -> Iterator[Cell]:
    """Yield cells as long as there is time."""
    for cell in cells:
        if deadline is not None and time.monotonic() > deadline:
            return
        yield cell
