"""Made summaries and small runs, for tests of what is made from them."""

import importlib.util
from pathlib import Path

import pytest


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made():
    """The module of made summaries; each of its functions returns a fresh one."""
    return _load("made_summaries")


@pytest.fixture(scope="session")
def small():
    """The module of small tables and runs."""
    return _load("small_runs")


@pytest.fixture
def table(small):
    """Features and labels of a small table."""
    return small.small_table()


@pytest.fixture
def run(small):
    """A comparison with small defaults."""
    return small.run


@pytest.fixture
def timeless():
    """Return a function that leaves out of a row what differs between equal runs."""

    def cut(row):
        clock = ("fit_seconds", "predict_seconds", "model_bytes")
        return {key: value for key, value in row.items() if key not in clock}

    return cut
