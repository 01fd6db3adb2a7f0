"""Who may import whom: the table of the architecture, held against every import statement."""

import ast
import sys
from dataclasses import dataclass

import pytest

SCIENCE = frozenset({"scipy", "sklearn"})


@dataclass(frozen=True)
class Layer:
    """What a package may import: anywhere, and inside functions only."""

    inside: frozenset = frozenset()
    outside: frozenset = frozenset()
    lazy: frozenset = frozenset()


def layer(inside="", outside="", lazy=""):
    return Layer(*(frozenset(names.split()) for names in (inside, outside, lazy)))


# threadpoolctl goes wherever joblib does: to start workers is to limit their threads.
# Everyone may import numpy, the standard library, imbkit.exceptions and their own package.
LAYERS = {
    "": layer(lazy="_core"),
    "__main__": layer("cli"),
    "exceptions": layer(),
    "_kernels": layer("", "numba"),
    "_core": layer("_kernels", "scipy sklearn imblearn narwhals joblib threadpoolctl"),
    "metrics": layer("_core _kernels", "scipy sklearn"),
    "sampling": layer("_core _kernels", "scipy sklearn imblearn"),
    "ordinal": layer("_core _kernels metrics", "scipy sklearn", "pandas"),
    "rvfl": layer("_core _kernels metrics", "scipy sklearn", "torch"),
    "splits": layer("_core", "sklearn", "pandas"),
    "datasets": layer("_core", "sklearn", "pandas"),
    "pipeline": layer("_core", "sklearn imblearn"),
    "thresholds": layer("_core _kernels metrics", "scipy sklearn"),
    "calibration": layer("_core _kernels metrics", "scipy sklearn"),
    "losses": layer("_core", "torch scipy"),
    "nets": layer("_core losses metrics thresholds calibration", "torch skorch sklearn scipy"),
    "ensembles": layer("_core sampling calibration", "sklearn"),
    "displays": layer("_core metrics thresholds", "", "matplotlib pandas"),
    "bench": layer(
        "_core metrics datasets splits thresholds calibration pipeline",
        "sklearn scipy imblearn joblib threadpoolctl",
        "pandas pyarrow jinja2 skops scikit_posthocs onnx skl2onnx",
    ),
    "scale": layer("_core sampling ensembles bench", "", "dask"),
    "cli": layer("", "", "bench _core datasets rich"),
}
COMPAT = "imbkit._core.compat"  # the only file that touches private names of other libraries


def imports(tree):
    """Yield (dotted names, line, whether it is inside a function or for type checkers only)."""

    def walk(node, inner):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield [alias.name for alias in child.names], child.lineno, inner
            elif isinstance(child, ast.ImportFrom):
                base = "." * child.level + (child.module or "")
                yield [f"{base}:{alias.name}" for alias in child.names], child.lineno, inner
            elif isinstance(child, ast.Call) and _called(child) in ("import_module", "require"):
                first = child.args[0] if child.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield [first.value], child.lineno, inner
            checking = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            deeper = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, inner or checking or deeper)

    yield from walk(tree, False)


def _called(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def broken_layers(source):
    rule = LAYERS.get(source.package)
    if rule is None:
        yield f"{source.path}: the package {source.package!r} has no row in the table of layers"
        return
    for names, line, inner in imports(source.tree):
        for name in names:
            where = f"{source.path}:{line}"
            if name.startswith("."):
                yield f"{where}: relative import {name!r}"
                continue
            top, *rest = name.replace(":", ".").split(".")
            if top == "imbkit":
                if source.package == "":  # the lazy families, for type checkers
                    ok = inner
                else:
                    target = rest[0] if rest else ""
                    ok = target in rule.inside | {source.package, "exceptions", "__version__"}
                    ok = ok or (inner and target in rule.lazy)
            else:
                ok = top in sys.stdlib_module_names | {"numpy"} | rule.outside
                ok = ok or (inner and top in rule.lazy)
            if not ok:
                yield f"{where}: {source.module} may not import {name} here"


def private_names(source):
    """Underscored modules, names and attributes of other libraries, outside compat."""
    if source.module == COMPAT:
        return
    foreign = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            foreign |= {a.asname or a.name.split(".")[0] for a in node.names if _foreign(a.name)}
        elif isinstance(node, ast.ImportFrom) and _foreign(node.module or ""):
            foreign |= {alias.asname or alias.name for alias in node.names}
    for names, line, _ in imports(source.tree):
        for name in names:
            if _foreign(name) and any(map(_private, name.replace(":", ".").split("."))):
                yield f"{source.path}:{line}: private name {name}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and _private(node.attr):
            owner = ast.unparse(node.value).split(".")[0]
            if owner in foreign:
                yield f"{source.path}:{node.lineno}: private name {ast.unparse(node)}"


def _foreign(name):
    return not name.startswith(".") and name.replace(":", ".").split(".")[0] != "imbkit"


def _private(word):
    return word.startswith("_") and not (word.startswith("__") and word.endswith("__"))


def test_every_import_follows_the_table(sources):
    assert "\n".join(line for source in sources for line in broken_layers(source)) == ""


def test_only_compat_touches_private_names(sources):
    assert "\n".join(line for source in sources for line in private_names(source)) == ""


PLANTED = {
    "upward": ("imbkit.metrics._x", "from imbkit.thresholds import ThresholdClassifierCV"),
    "sideways": ("imbkit.datasets._x", "import imbkit.metrics"),
    "from the package": ("imbkit.metrics._x", "from imbkit import thresholds"),
    "relative": ("imbkit.metrics._x", "from ._counts import Counts"),
    "relative package": ("imbkit.metrics._x", "from . import _counts"),
    "eager pandas": ("imbkit.bench._x", "import pandas as pd"),
    "eager require": ("imbkit.bench._x", "pd = require('pandas', 'compare', 'x')"),
    "eager in class": ("imbkit.bench._x", "class A:\n    import jinja2"),
    "eager in try": ("imbkit.bench._x", "try:\n    import skops.io\nexcept ImportError: ..."),
    "eager cli": ("imbkit.cli", "from imbkit.bench import compare"),
    "foreign": ("imbkit.metrics._x", "def f():\n    import torch"),
    "foreign by name": ("imbkit.metrics._x", "def f():\n    import_module('matplotlib.pyplot')"),
    "kernel": ("imbkit._kernels.draw", "from imbkit._core.card import Card"),
    "unknown package": ("imbkit.novel._x", "import numpy"),
    "eager family": ("imbkit", "from imbkit import metrics"),
}


@pytest.mark.parametrize(("module", "text"), PLANTED.values(), ids=PLANTED)
def test_a_forbidden_import_is_noticed(plant, module, text):
    assert len(list(broken_layers(plant(text, module)))) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("imbkit.bench._x", "def f():\n    import pandas"),
        ("imbkit.bench._x", "if TYPE_CHECKING:\n    import pandas"),
        ("imbkit.thresholds._x", "from imbkit.metrics import sweep\nimport scipy.special"),
        ("imbkit.cli", "def f():\n    from imbkit.bench import compare"),
        ("imbkit.metrics._x", "from imbkit.exceptions import DataError\nimport json, numpy"),
    ],
)
def test_a_permitted_import_is_not(plant, module, text):
    assert list(broken_layers(plant(text, module))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from sklearn.base import _fit_context",
        "from sklearn.utils._tags import Tags",
        "import sklearn.utils._tags",
        "import numpy as np\nnp._private()",
        "from sklearn import utils\nutils._tags.Tags",
        "def f():\n    import_module('sklearn.utils._tags')",
    ],
)
def test_a_private_name_is_noticed(plant, text):
    assert list(private_names(plant(text)))
    assert not list(private_names(plant(text, COMPAT)))
