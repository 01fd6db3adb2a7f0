"""Running cells: what is told, what is left when time is up, what an error leaves behind."""

from types import SimpleNamespace

import numpy as np
import pytest

from imbkit.bench import _run
from imbkit.bench._rows import RowStore
from imbkit.bench._run import run_plan
from imbkit.exceptions import InvalidParameterError, OutputError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Listener:
    """Progress that writes everything down."""

    def __init__(self):
        self.calls = []

    def start(self, total, done):
        self.calls.append(("start", total, done))

    def advance(self, cell, failed, seconds):
        self.calls.append(("advance", cell, failed))
        assert seconds >= 0

    def close(self):
        self.calls.append(("close",))


@pytest.fixture
def plan(table, small):
    return small.run(*table, cv=(2, 1), budget_minutes=1e-9)._plan


def go(plan, store, **changes):
    heard = Listener()
    options = {"n_jobs": 1, "budget_seconds": None, "progress": heard} | changes
    try:
        run_plan(plan, store, **options)
    finally:
        store.calls = heard.calls
    return heard.calls


def test_every_cell_is_told_once(plan):
    store = RowStore(None, "f")
    calls = go(plan, store)
    assert calls[0] == ("start", len(plan.cells), 0)
    assert calls[-1] == ("close",)
    assert calls[1:-1] == [("advance", cell.name, False) for cell in plan.cells]
    assert {row["cell"] for row in store} == {cell.name for cell in plan.cells}


def test_finished_cells_are_not_run_again(plan, monkeypatch):
    store = RowStore(None, "f")
    go(plan, store)
    before = list(store)
    monkeypatch.setattr(_run, "run_cell", None)
    assert go(plan, store) == [("start", len(plan.cells), len(plan.cells)), ("close",)]
    assert list(store) == before


def failing(row):
    return {**row, "status": "failed", "error": "x"}


def test_failed_cells_are_told_and_run_again(plan, monkeypatch):
    store, real = RowStore(None, "f"), _run.run_cell
    first = plan.cells[0].name

    def fail_once(cell, data):
        row = real(cell, data)
        return failing(row) if cell.name == first else row

    monkeypatch.setattr(_run, "run_cell", fail_once)
    assert ("advance", first, True) in go(plan, store)
    monkeypatch.undo()
    calls = go(plan, store)
    assert calls == [
        ("start", len(plan.cells), len(plan.cells) - 1),
        ("advance", first, False),
        ("close",),
    ]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_cell_starts_after_the_deadline(plan, monkeypatch, n_jobs):
    """The clock jumps past the deadline once the first two cells are handed out."""
    ticks = iter([0.0, 1.0, 2.0])
    # The module's own name only: joblib waits by the real clock.
    monkeypatch.setattr(_run, "time", SimpleNamespace(monotonic=lambda: next(ticks, 1e9)))
    store = RowStore(None, "f")
    calls = go(plan, store, budget_seconds=5.0, n_jobs=n_jobs)
    assert {row["cell"] for row in store} == {cell.name for cell in plan.cells[:2]}
    assert calls[-1] == ("close",)


def test_cells_wait_for_the_deadline_not_in_line(plan, monkeypatch):
    """With a deadline a cell is handed out only when a worker is free."""
    seen = {}
    real = _run.Parallel

    def parallel(**options):
        seen.update(options)
        return real(**options)

    monkeypatch.setattr(_run, "Parallel", parallel)
    go(plan, RowStore(None, "f"), budget_seconds=1e9)
    assert seen["pre_dispatch"] == "n_jobs"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_while_writing_ends_the_run(plan, monkeypatch, n_jobs):
    store = RowStore(None, "f")

    def full(row):
        raise OutputError("the disc is full")

    monkeypatch.setattr(store, "append", full)
    with pytest.raises(OutputError, match="full"):
        go(plan, store, n_jobs=n_jobs)
    assert store.calls[-1] == ("close",)


def test_no_jobs(plan):
    with pytest.raises(InvalidParameterError, match="n_jobs must be a positive or a negative"):
        go(plan, RowStore(None, "f"), n_jobs=0)


def test_the_table_is_not_written_to(plan):
    before = plan.data.matrix.copy()
    go(plan, RowStore(None, "f"))
    np.testing.assert_array_equal(plan.data.matrix, before)
