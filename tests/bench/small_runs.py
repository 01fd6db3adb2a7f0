"""Small tables, and comparisons of them that take a second."""

import numpy as np

from imbkit.bench._comparison import Source, run_comparison


def small_table(n_rows=240, n_positive=36, seed=0):
    """Two informative numbers, one category; 15 % positive."""
    import pandas

    rng = np.random.default_rng(seed)
    y = np.zeros(n_rows, dtype=int)
    y[rng.permutation(n_rows)[:n_positive]] = 1
    X = rng.normal(size=(n_rows, 2)) + y[:, None]
    kind = np.where(rng.random(n_rows) < 0.3 + 0.4 * y, "card", "cash")
    return pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": kind}), y


def run(X, y, **changes):
    """Call `run_comparison` with small defaults."""
    options = {
        "strategies": ["random_under", "smote"],
        "learners": ["logistic"],
        "metric": None,
        "objective": None,
        "cv": (3, 1),
        "groups": None,
        "positive": None,
        "n_jobs": 1,
        "random_state": 0,
        "output": None,
        "budget_minutes": None,
        "quick": False,
        "source": Source(),
    }
    return run_comparison(X, y, **(options | changes))
