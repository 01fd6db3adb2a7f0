"""The command, run in this process, with a comparison that answers at once."""

import importlib.util
from types import SimpleNamespace

import pytest

from imbkit.cli import main


@pytest.fixture
def made(root):
    """The module of made summaries."""
    path = root / "tests" / "bench" / "made_summaries.py"
    spec = importlib.util.spec_from_file_location("made_summaries", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command; return its code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*argv):
        code = main(argv)
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture
def asked(monkeypatch, made):
    """Replace the comparison; what it was asked is kept, what it answers can be set."""
    record = SimpleNamespace(calls=[], summary=made.binary_summary(), error=None)

    def stand_in(X, y, **options):
        record.calls.append(SimpleNamespace(X=X, y=y, **options))
        if record.error is not None:
            raise record.error
        return SimpleNamespace(summary=record.summary)

    monkeypatch.setattr("imbkit.bench._comparison.run_comparison", stand_in)
    return record


@pytest.fixture
def loans(tmp_path):
    """A small table."""
    path = tmp_path / "loans.csv"
    path.write_text("age,income,default\n30,1.5,no\n40,2.5,yes\n50,3.5,no\n")
    return path
