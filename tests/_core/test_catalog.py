"""The catalogue, over families that exist only in these tests, and over the real ones."""

import subprocess
import sys
from types import ModuleType

import pytest
from sklearn.base import BaseEstimator

from imbkit._core import catalog as module
from imbkit._core.card import Card
from imbkit._core.catalog import FAMILIES, Entry, catalog, find, missing_packages
from imbkit.exceptions import InvalidParameterError, MissingExtraError


class Carded(BaseEstimator):
    """Choose ``something`` for :func:`compare`.

    More text.
    """

    card = Card(paper="A (2001)")


class Inheriting(Carded):
    """Rely on another's card."""


class Container:
    """Hold something."""


class Callable:
    """Called like a function."""

    def __call__(self):
        return 1


def function():
    """Do something."""


@pytest.fixture
def family(monkeypatch):
    """Install a made-up family with these names, and the extra "odd" it needs."""

    def install(extra="", packages=(), **names):
        made = ModuleType("imbkit.planted")
        made.__all__ = list(names)
        vars(made).update(names)
        monkeypatch.setitem(sys.modules, "imbkit.planted", made)
        monkeypatch.setattr(module, "FAMILIES", {"planted": extra})
        monkeypatch.setattr(module, "_PACKAGES", {"odd": packages})

    return install


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Write a family to disk as ``imbkit.planted``, for what goes wrong while importing."""

    def write(text, packages=("nosuchpackage",)):
        import imbkit

        (tmp_path / "planted.py").write_text(text, "utf-8")
        monkeypatch.setattr(imbkit, "__path__", [*imbkit.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, "imbkit.planted", raising=False)
        monkeypatch.setattr(module, "FAMILIES", {"planted": "odd"})
        monkeypatch.setattr(module, "_PACKAGES", {"odd": packages})

    yield write
    sys.modules.pop("imbkit.planted", None)


def test_kinds_cards_and_summaries(family):
    family(Carded=Carded, Container=Container, called=Callable(), function=function, number=3)
    entries = {entry.name: entry for entry in catalog()}
    kinds = {name: entry.kind for name, entry in entries.items()}
    assert kinds == {
        "Carded": "method",
        "Container": "class",
        "called": "function",
        "function": "function",
        "number": "object",
    }
    assert entries["Carded"].card is Carded.card
    assert entries["Carded"].summary == "Choose something for compare."
    assert entries["Container"].card is None
    assert entries["Carded"].obj is Carded
    assert all(entry.available and entry.family == "planted" for entry in entries.values())


@pytest.mark.parametrize("cls", [Inheriting, type("Bare", (BaseEstimator,), {})])
def test_a_method_without_its_own_card_is_refused_by_name(family, cls):
    family(Method=cls)
    with pytest.raises(InvalidParameterError, match=f"{cls.__qualname__} must state its own card"):
        catalog()


def test_something_else_called_card_is_no_card(family):
    family(Method=type("Method", (BaseEstimator,), {"card": "A (2001)"}))
    with pytest.raises(InvalidParameterError, match="Got A"):
        catalog()


def test_a_family_that_cannot_be_imported_is_listed_from_its_source(package):
    package('import nosuchpackage\n__all__ = ["NetClassifier", "fit_net"]\n')
    entries = catalog("planted")
    assert [entry.name for entry in entries] == ["NetClassifier", "fit_net"]
    for entry in entries:
        assert (entry.kind, entry.obj, entry.available) == ("unknown", None, False)
        assert entry.install == 'pip install "imbkit[odd]"'
    with pytest.raises(MissingExtraError, match=r'nosuchpackage.*pip install "imbkit\[odd\]"'):
        find("NetClassifier")


def test_a_family_that_imports_without_its_extra_says_what_it_lacks(family):
    family("odd", ("nosuchpackage",), Carded=Carded)
    (entry,) = catalog()
    assert entry.obj is Carded
    assert not entry.available
    assert missing_packages("odd") == ["nosuchpackage"]
    with pytest.raises(MissingExtraError, match="nosuchpackage"):
        find("Carded")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import anothermissing", ModuleNotFoundError),
        ("import nosuchpackage.part\n", None),
        ("from json import nosuchname", ImportError),
        ("1 / 0", ZeroDivisionError),
    ],
)
def test_any_other_import_error_propagates(package, text, error):
    package(f"{text}\n__all__ = []\n")
    if error is None:
        assert catalog() == []
    else:
        with pytest.raises(error):
            catalog()


def test_a_broken_installed_package_is_not_called_missing(package):
    package("import json.nosuch\n__all__ = []\n", packages=("json",))
    with pytest.raises(ModuleNotFoundError):
        catalog()


def test_unknown_family_suggests_near_ones():
    with pytest.raises(InvalidParameterError, match="Got treshold. Use thresholds"):
        catalog("treshold")


def test_the_real_families():
    entries = catalog()
    assert {entry.family for entry in entries} == set(FAMILIES)
    assert len({(entry.family, entry.name) for entry in entries}) == len(entries)
    assert all(isinstance(entry.card, Card) == (entry.kind == "method") for entry in entries)
    assert catalog("metrics") == [entry for entry in entries if entry.family == "metrics"]


def test_find_prefers_imbkit_then_imbalanced_learn_then_a_path(family):
    from imblearn.over_sampling import SMOTE
    from sklearn.svm import SVC

    family(Carded=Carded, Container=Container)
    assert find("Carded") is Carded
    assert find("SMOTE") is SMOTE
    assert find("sklearn.svm:SVC") is find("sklearn.svm.SVC") is SVC
    family(SMOTE=Carded)
    assert find("SMOTE") is Carded


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SMOET", "Did you mean SMOTE"),
        ("balancedbaggingclassifer", "BalancedBaggingClassifier"),
        ("Container", "no method of imbkit"),
        ("zzzzzz", 'write "package.module:Name"'),
        ("sklearn.svm:SVX", "must lead to something that exists"),
        ("nosuchpackage.part:X", "must lead to something that exists"),
        (":X", "must lead to something that exists"),
        ("sklearn:", "must lead to something that exists"),
        (".svm:SVC", "must lead to something that exists"),
    ],
)
def test_find_says_what_to_write_instead(family, name, words):
    family(Carded=Carded, Container=Container)
    with pytest.raises(InvalidParameterError, match=words):
        find(name)


def test_a_path_whose_own_import_fails_says_so(monkeypatch, tmp_path):
    (tmp_path / "own_learner.py").write_text("import nosuchpackage\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="nosuchpackage"):
        find("own_learner:Learner")


def test_importing_the_catalogue_imports_no_family():
    code = (
        "import sys, imbkit._core.catalog as c\n"
        "assert not [f for f in c.FAMILIES if f'imbkit.{f}' in sys.modules]\n"
        "c.catalog('metrics')\n"
        "assert 'imbkit.bench' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_entries_are_values():
    assert Entry("a", "b", "class") == Entry("a", "b", "class")
    assert Entry("a", "b", "class").install == "pip install imbkit"
