"""The public names, stored: one that appears, goes or is renamed changes this file on purpose."""

import inspect
import json
from importlib import import_module
from types import SimpleNamespace

import pytest

from imbkit._core.catalog import FAMILIES, catalog, missing_packages

HERE = [family for family, extra in FAMILIES.items() if not missing_packages(extra)]
MODULES = ["imbkit.exceptions", *(f"imbkit.{family}" for family in HERE)]
if len(HERE) == len(FAMILIES):
    MODULES.insert(0, "imbkit")  # all of its names can be had


def bad_names(module):
    names = module.__all__
    if list(names) != sorted(set(names)):
        yield f"{module.__name__}: __all__ is not sorted, or names something twice"
    for name in names:
        if not hasattr(module, name):
            yield f"{module.__name__}: {name} does not exist"
        elif not (inspect.getdoc(getattr(module, name)) or "").strip():
            yield f"{module.__name__}: {name} has no docstring"
        elif name.startswith("_"):
            yield f"{module.__name__}: {name} is private"


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_sorted_exist_and_are_documented(name):
    assert "\n".join(bad_names(import_module(name))) == ""


def test_public_names_are_the_stored_ones(root):
    stored = json.loads((root / "tests/guards/public_names.json").read_text("utf-8"))
    assert set(stored) == {"imbkit", "imbkit.exceptions", *(f"imbkit.{f}" for f in FAMILIES)}
    found = {name: import_module(name).__all__ for name in {"imbkit", *MODULES}}
    assert found == {name: stored[name] for name in found}


def test_every_public_module_states_its_names(sources):
    import_lines = ("__init__", "__main__")
    for source in sources:
        if source.path.stem not in import_lines:
            assert "__all__" in source.text, f"{source.path} does not say what it offers"


def test_the_catalogue_lists_every_public_name():
    listed = {(entry.family, entry.name) for entry in catalog()}
    for family in HERE:
        assert {(family, name) for name in import_module(f"imbkit.{family}").__all__} <= listed


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["b", "a"], "sorted"),
        (["a", "a"], "twice"),
        (["a", "nosuch"], "exist"),
        (["a", "bare"], "docstring"),
        (["_hidden"], "private"),
    ],
)
def test_a_bad_list_is_noticed(names, word):
    def documented():
        """Say."""

    def bare():
        pass

    things = {"a": documented, "b": documented, "bare": bare, "_hidden": documented}
    module = SimpleNamespace(__name__="planted", __all__=names, **things)
    assert [line for line in bad_names(module) if word in line]
