"""Constraints: scikit-learn's own validation reads the sets, and refuses what lies outside."""

from numbers import Real

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from imbkit._core import constraints
from imbkit._core.compat import fit_context, invalid_value

SHARE = constraints.Interval(Real, 0, 1, closed="both")
SETS = {
    "n_jobs": (constraints.N_JOBS, [None, 1, -1], [0.5, "all"]),
    "share": ([SHARE], [0, 0.5, 1], [-0.1, 1.1, None, "half", np.nan]),
    "random_state": (constraints.RANDOM_STATE, [None, 0, np.random.RandomState(0)], [-1, 0.5]),
}


class Estimator(BaseEstimator):
    _parameter_constraints = {name: allowed for name, (allowed, _, _) in SETS.items()}

    def __init__(self, *, n_jobs=None, share=0.5, random_state=None):
        self.n_jobs = n_jobs
        self.share = share
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X=None, y=None):
        return self


@pytest.mark.parametrize("name", SETS)
def test_sets(name):
    _, good, bad = SETS[name]
    for value in good:
        Estimator(**{name: value}).fit()
    for value in bad:
        with pytest.raises(ValueError, match=f"The '{name}' parameter of Estimator must be"):
            Estimator(**{name: value}).fit()


def test_markers_make_their_own_invalid_values():
    value = invalid_value(SHARE)
    with pytest.raises(ValueError, match="'share'"):
        Estimator(share=value).fit()


def test_exports():
    assert all(hasattr(constraints, name) for name in constraints.__all__)
