"""Sums over rows in lanes: those of one pass, and the same bits for any number of threads."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from imbkit.rvfl import EDRVFLClassifier, GEIFRVFLClassifier, RVFLClassifierCV, RVFLRegressor
from imbkit.rvfl._device import NumpyDevice
from imbkit.rvfl._statistics import Statistics

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 4))
Y = np.digitize(X[:, 0] + 0.3 * RNG.normal(size=500), [0.3, 1.2])
V = RNG.integers(1, 4, 500).astype(float)

MODELS = {
    "graph": GEIFRVFLClassifier(12, fuzzy=None, random_state=0),
    "folds": RVFLClassifierCV(5, 12, random_state=0),
    "layers": EDRVFLClassifier(12, n_layers=2, random_state=0),
    "numbers": RVFLRegressor(12, random_state=0),
}


def coefs(model, rows=X, weights=V):
    fitted = model.fit(rows, Y, weights)
    return np.concatenate([np.ravel(each) for each in np.atleast_1d(fitted.coef_)])


@pytest.fixture
def few_rows(monkeypatch):
    """Lanes for 500 rows."""
    monkeypatch.setattr(NumpyDevice, "rows", 16)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_lanes_have_the_sums_of_one_pass(few_rows, monkeypatch, name, kind):
    in_lanes = coefs(MODELS[name], kind(X))
    monkeypatch.setattr(NumpyDevice, "has_lanes", lambda self, width: False)
    assert_allclose(in_lanes, coefs(MODELS[name], kind(X)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_threads_do_not_change_a_bit(few_rows, name):
    found = []
    for n_jobs in (1, 2, 3):
        with joblib.parallel_config("threading", n_jobs=n_jobs):
            found.append(coefs(MODELS[name]))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])


def test_lanes_are_used_where_they_pay(few_rows, monkeypatch):
    begun, fresh = [], Statistics.fresh
    monkeypatch.setattr(Statistics, "fresh", lambda self: begun.append(self) or fresh(self))
    coefs(MODELS["graph"])
    assert len(begun) == 4
    monkeypatch.setattr(NumpyDevice, "rows", 2048)
    coefs(MODELS["graph"])
    assert len(begun) == 4


def test_nothing_is_left_in_memory_but_the_sums(few_rows):
    sums = MODELS["graph"].fit(X, Y)._gathered.sums
    assert sums._room is None
