"""numpydoc's validation of everything public, with the settings of pyproject.toml."""

import functools
import inspect
import sys
import tomllib
from importlib import import_module
from types import ModuleType

import pytest
from numpydoc.validate import ERROR_MSGS, validate
from sklearn.base import BaseEstimator

from imbkit._core.catalog import FAMILIES, catalog, missing_packages


@functools.cache
def asked_codes(root):
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    checks = settings["tool"]["numpydoc_validation"]["checks"]
    assert checks[0] == "all"
    return frozenset(ERROR_MSGS) - frozenset(checks)


def public_paths():
    """Import path of every public name, and of every public method defined in imbkit.

    Those of a family whose extra is not installed are left out.
    """
    paths = ["imbkit.show_versions"]
    for entry in catalog():
        path = f"imbkit.{entry.family}.{entry.name}"
        if not entry.available:
            continue
        if inspect.ismodule(entry.obj):
            paths += [f"{path}.{name}" for name in entry.obj.__all__]
            continue
        paths.append(path)
        if inspect.isclass(entry.obj):
            paths += [f"{path}.{name}" for name in methods_of(entry.obj)]
    names = import_module("imbkit.exceptions").__all__
    return paths + [f"imbkit.exceptions.{name}" for name in names]


def methods_of(cls):
    """Public methods and properties that imbkit itself wrote for this class."""
    for name, _ in inspect.getmembers(cls):
        owner = next((base for base in cls.__mro__ if name in vars(base)), object)
        value = vars(owner).get(name)
        value = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        value = getattr(value, "fn", value)  # scikit-learn's available_if
        ours = owner.__module__.startswith("imbkit") and inspect.isfunction(value)
        # A dataclass or NamedTuple brings methods that nobody wrote.
        if ours and not name.startswith("_") and value.__module__.startswith("imbkit"):
            yield name


def faults(path, codes, top_level):
    """numpydoc's complaints about one object."""
    obj = _resolve(path)
    ignore = set()
    if inspect.isclass(obj) and issubclass(obj, BaseException):
        ignore |= {"PR01", "EX01"}
    if not top_level and "\n" not in (inspect.getdoc(obj) or ""):
        ignore |= {"RT01"}  # the one line says what the method returns
    found = [(code, text) for code, text in validate(path)["errors"] if code in codes - ignore]
    needs_example = top_level and callable(obj) and "EX01" not in ignore
    if needs_example and ">>>" not in (inspect.getdoc(obj) or ""):
        found.append(("EX01", "No examples section found"))
    if inspect.isclass(obj) and issubclass(obj, BaseEstimator) and top_level:
        if "References" not in obj.__doc__ and "Notes" not in obj.__doc__:
            found.append(("NOTES", "A method class has Notes or References"))
    return [f"{path}: {code} {text}" for code, text in found]


def _resolve(path):
    parts = path.split(".")
    obj = sys.modules["imbkit"]
    for part in parts[1:]:
        obj = getattr(obj, part)
    return obj


@pytest.mark.parametrize("path", public_paths())
def test_docstring_is_valid(path, root):
    depth = 2 if path == "imbkit.show_versions" else 3
    assert "\n".join(faults(path, asked_codes(root), len(path.split(".")) == depth)) == ""


def test_every_family_docstring_says_what_it_is():
    for family in (name for name in FAMILIES if not missing_packages(FAMILIES[name])):
        assert len((import_module(f"imbkit.{family}").__doc__ or "").split()) > 5, family


class Planted:
    """Count the rows.

    Parameters
    ----------
    rows : int
        How many.
    gone : int
        Not a parameter.
    """

    def __init__(self, rows, extra=None):
        self.rows, self.extra = rows, extra


@pytest.mark.parametrize("code", ["PR01", "PR02", "EX01"])
def test_a_bad_docstring_is_noticed(monkeypatch, root, code):
    module = ModuleType("imbkit.planted")
    module.Planted = Planted
    monkeypatch.setitem(sys.modules, "imbkit.planted", module)
    monkeypatch.setattr(sys.modules["imbkit"], "planted", module, raising=False)
    found = faults("imbkit.planted.Planted", asked_codes(root), top_level=True)
    assert [line for line in found if f" {code} " in line]
