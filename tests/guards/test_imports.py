"""What an import costs: nothing heavy comes in for somebody who did not ask."""

import ast
import subprocess
import sys

import pytest

from imbkit._core.catalog import FAMILIES

HEAVY = ("dask", "jinja2", "matplotlib", "numba", "pandas", "rich", "skops", "skorch", "torch")
LIGHT = (*HEAVY, "imblearn", "narwhals", "scipy", "sklearn")


def loaded(statement, watched):
    """Return which of the watched packages a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint([m for m in {watched!r} if m in sys.modules])"
    command = [sys.executable, "-W", "error::DeprecationWarning:imbkit", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_imbkit_loads_nothing():
    assert loaded("import imbkit", LIGHT) == "[]"


@pytest.fixture(scope="module")
def base_libraries():
    """What scikit-learn and imbalanced-learn load themselves; 1.9 looks for pandas and rich."""
    return loaded("import imblearn.ensemble, imblearn.pipeline, sklearn.compose", HEAVY)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_imports_alone_and_lightly(family, base_libraries):
    statement = f"import imbkit\nassert imbkit.{family}.__all__"
    assert set(ast.literal_eval(loaded(statement, HEAVY))) <= set(ast.literal_eval(base_libraries))


def test_the_command_imports_lightly():
    assert loaded("import imbkit.cli", LIGHT) == "[]"


def test_a_heavy_import_is_noticed(base_libraries):
    assert loaded("import sklearn", LIGHT) != "[]"
    assert "matplotlib" in loaded("import imbkit, matplotlib", HEAVY)
    assert "matplotlib" not in base_libraries


def test_every_family_is_reachable_and_listed():
    import imbkit

    assert set(FAMILIES) <= set(imbkit.__all__) <= set(dir(imbkit))
    for name in imbkit.__all__:
        assert getattr(imbkit, name) is not None
        assert name in ("show_versions", "warmup") or f"``imbkit.{name}``" in imbkit.__doc__
    with pytest.raises(AttributeError, match="nosuch"):
        imbkit.nosuch
