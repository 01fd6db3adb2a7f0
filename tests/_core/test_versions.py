"""show_versions says what runs, and what does not."""

import importlib.metadata
import platform

import sklearn

import imbkit
from imbkit._core import versions


def rows_of(text):
    return dict(line.split("  ", 1) for line in text.splitlines())


def test_versions_are_those_that_run(capsys):
    imbkit.show_versions()
    rows = {name: value.strip() for name, value in rows_of(capsys.readouterr().out).items()}
    assert rows["python"] == platform.python_version()
    assert rows["scikit-learn"] == sklearn.__version__
    assert rows["imbkit"] == importlib.metadata.version("imbkit")
    assert {"numpy", "scipy", "imbalanced-learn", "numba", "narwhals", "pandas"} <= set(rows)
    assert {"sphinx", "pytest"}.isdisjoint(rows)


def test_what_is_absent_is_said_so(capsys, monkeypatch):
    def version(name):
        if name == "numba":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(versions, "version", version)
    versions.show_versions()
    assert rows_of(capsys.readouterr().out)["numba"].strip() == "not installed"


def test_a_checkout_that_is_not_installed_still_answers(capsys, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions, "requires", missing)
    monkeypatch.setattr(versions, "version", missing)
    versions.show_versions()
    assert "imbkit" in capsys.readouterr().out
