"""What tests over all samplers share: the seventeen names, tables without ties, how to build."""

import hashlib
import importlib
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import reject

import imbkit.sampling
from imbkit.exceptions import ImbkitWarning

OVER = ("ADASYN", "BorderlineSMOTE", "RandomOverSampler", "SMOTE", "SMOTEN", "SMOTENC")
COMBINED = ("SMOTEENN", "SMOTETomek")
CLEANING = (
    "AllKNN",
    "CondensedNearestNeighbour",
    "EditedNearestNeighbours",
    "NeighbourhoodCleaningRule",
    "OneSidedSelection",
    "RepeatedEditedNearestNeighbours",
    "TomekLinks",
)
UNDER = ("NearMiss", "RandomUnderSampler")
# Samplers whose new rows lie on a segment between two rows of the table.
SEGMENTS = ("ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTEENN", "SMOTETomek")
# Samplers that measure distances between numbers.
MEASURING = (
    *("ADASYN", "BorderlineSMOTE", "SMOTE", "SMOTENC"),
    *(*CLEANING, *COMBINED, "NearMiss"),
)
ALL = tuple(sorted((*OVER, *COMBINED, *CLEANING, *UNDER)))
MODULES = {
    **dict.fromkeys(OVER, "over_sampling"),
    **dict.fromkeys(COMBINED, "combine"),
    **dict.fromkeys((*CLEANING, *UNDER), "under_sampling"),
}
SEEDED = {*OVER, *COMBINED, "CondensedNearestNeighbour", "OneSidedSelection", "RandomUnderSampler"}


@pytest.fixture(params=ALL, scope="session")
def name(request):
    """The name of any sampler."""
    return request.param


@pytest.fixture(params=OVER, scope="session")
def over(request):
    """The name of an over-sampler."""
    return request.param


@pytest.fixture(params=SEGMENTS, scope="session")
def segments(request):
    """The name of a sampler whose new rows lie between two rows."""
    return request.param


@pytest.fixture(params=MEASURING, scope="session")
def measuring(request):
    """The name of a sampler that measures distances between numbers."""
    return request.param


@pytest.fixture(params=(*CLEANING, *UNDER), scope="session")
def selecting(request):
    """The name of a sampler that only leaves rows out."""
    return request.param


@pytest.fixture(scope="session")
def build():
    """A function from a sampler's name and settings to imbkit's sampler, with seed 0."""
    return lambda name, **settings: _build(imbkit.sampling, name, settings)


@pytest.fixture(scope="session")
def peer():
    """A function from a sampler's name and settings to imbalanced-learn's, with seed 0."""
    return lambda name, **settings: _build(
        importlib.import_module(f"imblearn.{MODULES[name]}"), name, settings
    )


def _build(module, name, settings):
    if name in SEEDED:
        settings = {"random_state": 0, **settings}
    if name == "SMOTENC":
        settings = {"categorical_features": [-1], **settings}
    return getattr(module, name)(**settings)


@pytest.fixture(scope="session")
def table():
    """A function that makes a table that suits a sampler, and labels."""
    return _table


def _table(name, sizes=(60, 24, 18), d=4, seed=0, dtype=np.float64, spread=1.6):
    """Return overlapping classes of the given sizes, no two distances equal.

    SMOTENC's last column and all of SMOTEN's hold categories, as whole numbers.
    """
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(rng.permutation(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), d))
    centres *= spread / np.linalg.norm(centres, axis=1, keepdims=True)
    X = rng.normal(size=(y.size, d)) + centres[y]
    if name in ("SMOTEN", "SMOTENC"):
        first = 0 if name == "SMOTEN" else d - 1
        X[:, first:] = np.floor(2 * (X[:, first:] - X[:, first:].min(axis=0)))
    return X.astype(dtype), y


@pytest.fixture(scope="session")
def resample():
    """A function that resamples, and leaves aside what is told about numbers of rows.

    Hypothesis shall look for another table where ADASYN has nothing to go by.
    """

    def run(sampler, X, y, **companions):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImbkitWarning)
            try:
                return sampler.fit_resample(X, y, **companions)
            except ValueError as error:
                if "ADASYN: some row of class" in str(error) or "No samples will" in str(error):
                    reject()
                raise

    return run


# What decides whether NumPy or compiled kernels do the work; the answer is the same.
SWITCHES = {
    "imbkit._core.condense._SMALL": (10**9, 0),
    "imbkit._core.mixed._FEW": (10**15, -1),
    "imbkit._core.mixed._compiled": (lambda name: False, lambda name: True),
    "imbkit._core.neighborhood.tree_pays": (lambda *sizes: False, lambda *sizes: True),
    "imbkit._core.neighbors.RowTree.preferred_path": (
        lambda tree, k: "brute",
        lambda tree, k: "tree",
    ),
    "imbkit._core.neighbors.tree_pays": (lambda *sizes: False, lambda *sizes: True),
    "imbkit.sampling._near_miss._SMALL": (10**9, 0),
    "imbkit.sampling._segments._FEW": (10**15, -1),
}


@pytest.fixture(scope="session")
def working_with():
    """A function that opens a block in which "numpy" or "kernels" do all the work."""
    return _working_with


@contextmanager
def _working_with(what):
    with pytest.MonkeyPatch.context() as patch:
        for target, choices in SWITCHES.items():
            patch.setattr(target, choices[what == "kernels"])
        yield


@pytest.fixture(scope="session")
def hashes():
    """Functions that return hashes of what one sampler makes, and of what all make."""
    return SimpleNamespace(one=digest, every=digests, names=ALL, file=Path(__file__))


def digest(name, d=4, n_jobs=None, seed=0):
    """Return a hash of everything that a sampler makes of a table of some hundred rows."""
    X, y = _table(name, (250, 70, 40), d, seed)
    sampler = _build(imbkit.sampling, name, {})
    if "n_jobs" in sampler.get_params(deep=False):
        sampler.set_params(n_jobs=n_jobs)
    out = sampler.fit_resample(X, y, sample_weight=X[:, 0] ** 2)
    parts = (*out, sampler.parents_, sampler.steps_, sampler.companions_["sample_weight"])
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    ).hexdigest()


def digests(n_jobs=None):
    """Return the hashes of all samplers, with kernels and without."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for what in ("numpy", "kernels"):
            with _working_with(what):
                found.update({f"{name} {what}": digest(name, n_jobs=n_jobs) for name in ALL})
    return found
