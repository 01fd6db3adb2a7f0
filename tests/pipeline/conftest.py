"""Rows whose weight is an affine function of their features, and steps that keep what they got.

Samplers copy rows or put them on segments, and scalers are affine: whatever stands before the
model, the weights that reach it must be an affine function of the rows that reach it.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification


@pytest.fixture(scope="session")
def kept():
    """The module of steps that keep what they were given; pickles find it by its name."""
    name = "kept_steps"
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def data():
    X, y = make_classification(240, n_features=4, weights=[0.8], flip_y=0, random_state=0)
    weight = X @ np.array([0.3, -0.2, 0.1, 0.05]) + 4.0
    return X, y, weight


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield
