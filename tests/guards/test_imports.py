"""What an import costs: nothing heavy comes in for somebody who did not ask."""

import ast
import subprocess
import sys

import pytest

from imbkit._core.catalog import FAMILIES, missing_packages

HEAVY = ("dask", "jinja2", "matplotlib", "numba", "pandas", "rich", "skops", "skorch", "torch")
LIGHT = (*HEAVY, "imblearn", "narwhals", "scipy", "sklearn")
OWN = {"losses": "torch", "nets": "torch, skorch"}
"""What a family cannot do without; it may load what these load."""


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
    if family in OWN and missing_packages(FAMILIES[family]):
        pytest.skip(f"{OWN[family]} not installed (extra: {FAMILIES[family]})")
    statement = f"import imbkit\nassert imbkit.{family}.__all__"
    permitted = set(ast.literal_eval(base_libraries))
    if family in OWN:
        permitted |= set(ast.literal_eval(loaded(f"import {OWN[family]}", HEAVY)))
    assert set(ast.literal_eval(loaded(statement, HEAVY))) <= permitted


def test_the_command_imports_lightly():
    assert loaded("import imbkit.cli", LIGHT) == "[]"


@pytest.mark.parametrize(
    "statement",
    [
        "from imbkit._core.catalog import find; find('SMOTE')",
        "from imbkit._core.prior import induced_prior; import imbkit._core.induced",
        "from imbkit._core.threads import one_thread\nwith one_thread(): pass",
        "import imbkit.cli, imbkit.cli._compare; from imbkit.bench import compare\n"
        "compare([[i % 7, i % 2] for i in range(60)], [i % 3 == 0 for i in range(60)], "
        "learners=['logistic'], cv=(2, 1))",
    ],
    ids=["find", "induced", "threads", "compare"],
)
def test_what_is_not_about_nets_loads_no_torch(statement):
    assert loaded(statement, ("skorch", "torch")) == "[]"


def test_a_heavy_import_is_noticed(base_libraries):
    assert loaded("import sklearn", LIGHT) != "[]"
    assert "matplotlib" in loaded("import imbkit, matplotlib", HEAVY)
    assert "matplotlib" not in base_libraries


def test_every_family_is_reachable_and_listed():
    import imbkit

    assert set(FAMILIES) <= set(imbkit.__all__) <= set(dir(imbkit))
    for name in imbkit.__all__:
        if not missing_packages(FAMILIES.get(name, "")):
            assert getattr(imbkit, name) is not None
        assert name in ("show_versions", "warmup") or f"``imbkit.{name}``" in imbkit.__doc__
    with pytest.raises(AttributeError, match="nosuch"):
        imbkit.nosuch
