"""Workers see the matrix of a large table through one memory map, not as copies."""

import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from imbkit.bench import _run
from imbkit.bench._options import Options
from imbkit.bench._plan import make_plan
from imbkit.bench._progress import SilentProgress
from imbkit.bench._rows import RowStore

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

JOBLIB_LIMIT = 2**20
"""Bytes above which joblib maps an array."""


@pytest.fixture
def large_plan():
    """Six cells of a fast learner on a table whose matrix is above joblib's limit."""
    rng = np.random.default_rng(0)
    y = np.arange(3000) % 10 == 0
    X = rng.normal(size=(3000, 51)) + y[:, None]
    # A column that carries nothing: what is left must be shared as well.
    X[:, 7] = 1.0
    asked = Options(strategies=["none", "random_over"], learners=[GaussianNB()], cv=(3, 1))
    plan = make_plan(X, y, asked, "target")
    assert plan.data.matrix.nbytes > JOBLIB_LIMIT
    return replace(plan, cells=tuple(c for c in plan.cells if c.learner == "GaussianNB"))


def rows_of(plan, n_jobs):
    store = RowStore(None, plan.fingerprint)
    _run.run_plan(plan, store, n_jobs=n_jobs, budget_seconds=None, progress=SilentProgress())
    rows = {row["cell"]: row for row in store}
    assert set(rows) == {cell.name for cell in plan.cells}
    return rows


def test_workers_map_the_matrix_and_it_is_dumped_once(large_plan, monkeypatch):
    # Defined in here, so that it is sent to the workers whole: they cannot import this file.
    def probe(cell, data):
        matrix = data.matrix
        mapped = isinstance(matrix, np.memmap)
        folder = Path(matrix.filename).parent.iterdir() if mapped else ()
        return {
            "cell": cell.name,
            "status": "done",
            "fit_seconds": 0.0,
            "process": os.getpid(),
            "file": str(matrix.filename) if mapped else None,
            "dumps": sum(file.stat().st_size >= matrix.nbytes for file in folder),
            "writeable": matrix.flags.writeable,
            "content": zlib.crc32(matrix.tobytes()),
        }

    monkeypatch.setattr(_run, "run_cell", probe)
    rows = list(rows_of(large_plan, n_jobs=2).values())
    assert os.getpid() not in {row["process"] for row in rows}
    (file,) = {row["file"] for row in rows}
    assert file is not None
    assert {row["dumps"] for row in rows} == {1}
    assert not any(row["writeable"] for row in rows)
    assert {row["content"] for row in rows} == {zlib.crc32(large_plan.data.matrix.tobytes())}


def test_a_map_gives_the_same_rows(large_plan, timeless):
    """Nothing on the way may write to the matrix, which a map refuses."""
    alone, shared = (rows_of(large_plan, n_jobs) for n_jobs in (1, 2))
    assert {row["status"] for row in alone.values()} == {"done"}
    assert {c: timeless(r) for c, r in shared.items()} == {c: timeless(r) for c, r in alone.items()}
