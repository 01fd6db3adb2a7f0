"""The private names that imbkit rests on exist, and compat.py alone imports them."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.preprocessing import StandardScaler

import imbkit
from imbkit._core import compat

TREE = ast.parse(Path(compat.__file__).read_text(encoding="utf-8"))
IMPORTS = [
    (node.module, alias.name)
    for node in ast.walk(TREE)
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
]


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_name_exists(module, name):
    assert hasattr(import_module(module), name)


def test_every_import_is_private_and_exported():
    for module, name in IMPORTS:
        assert any(part.startswith("_") for part in [*module.split("."), name]), (module, name)
    bound = {
        alias.asname or alias.name
        for node in TREE.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    made = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)}
    assert bound | made == set(compat.__all__)


def test_constraints_of_a_class_can_be_added_to():
    class Scaler(StandardScaler):
        pass

    more = compat.constraints_of(Scaler)
    more["own"] = [None]
    assert {*more} == {*compat.constraints_of(StandardScaler), "own"}


def test_no_other_file_imports_private_names():
    found = []
    for path in Path(imbkit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and path.name != "compat.py":
                names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
                if names[0] not in ("imbkit", "__future__") and any(
                    name.startswith("_") for name in names
                ):
                    found.append(f"{path.name}:{node.lineno} {'.'.join(names)}")
    assert found == []
