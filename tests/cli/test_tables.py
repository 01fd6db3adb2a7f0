"""Several files on the command line: names, bad input, and what is printed."""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pytest

from imbkit.bench import choose_columns, read_table
from imbkit.bench._comparison import Source
from imbkit.cli._tables import run_tables
from imbkit.exceptions import DataError, InvalidParameterError

pd = pytest.importorskip("pandas")
QUICK = {"strategies": ["class_weight"], "learners": ["logistic"], "cv": (2, 1), "n_jobs": 1}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two small tables, one of many classes, one without the target, and one that is none."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(["east.csv", "west.csv", "odd.csv"]):
        rng = np.random.default_rng(seed)
        y = np.arange(90) % 5 == 0
        table = pd.DataFrame({"a": rng.normal(size=90) + y, "b": rng.normal(size=90), "y": y * 1})
        if name == "odd.csv":
            table["y"] = np.arange(90) % 3
        table.to_csv(name, index=False)
    table.rename(columns={"y": "target"}).to_csv("other.csv", index=False)
    Path("broken.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "east.csv").write_bytes(Path("west.csv").read_bytes())
    return tmp_path


@pytest.fixture
def call(files, capsys):
    """Run on some files; return the code, what was printed, and the arguments."""

    def run(*paths, quiet=False, as_json=False, output="out", **options):
        arguments = argparse.Namespace(
            target="y",
            output=Path(output),
            budget_minutes=None,
            quiet=quiet,
            json=as_json,
            argv=["compare", *paths, "--target", "y"],
        )
        code = run_tables(arguments, paths, load, QUICK | options)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def load(path):
    X, y = choose_columns(read_table(path), "y", [])
    return X, y, Source(name=Path(path).name, target="y")


def test_verdict_page_and_files(call, files):
    code, out, err = call("east.csv", "west.csv")
    assert code == 0
    summary = json.loads(Path("out/summary.json").read_text("utf-8"))
    words = " ".join(out.split())
    for question in summary["questions"]:
        assert question["sentence"] in words
    assert "Page: out/report.html" in out
    assert "table 1 of 2, east" in err
    assert "table 2 of 2, west" in err
    assert summary["command"] == "imbkit compare east.csv west.csv --target y"
    assert [card["name"] for card in summary["tables"]] == ["east", "west"]
    assert Path("out/east/report.html").is_file()
    code, out, err = call("east.csv", "west.csv", as_json=True, quiet=True)
    assert (code, err) == (0, "")
    assert json.loads(out)["questions"] == summary["questions"]
    assert call("east.csv", "west.csv", quiet=True) == (0, "", "")


def test_files_of_one_name_are_told_apart(call):
    assert call("east.csv", "deep/east.csv")[0] == 0
    summary = json.loads(Path("out/summary.json").read_text("utf-8"))
    assert [card["name"] for card in summary["tables"]] == ["east.csv", "deep/east.csv"]
    assert [card["directory"] for card in summary["tables"]] == ["east.csv", "deep_east.csv"]


def test_a_table_that_cannot_be_compared_gives_code_1(call):
    table = pd.read_csv("west.csv").assign(a=1, b=2)
    table.to_csv("flat.csv", index=False)
    code, out, err = call("east.csv", "flat.csv")
    assert code == 1
    assert re.search(
        r"^imbkit compare: flat could not be compared: .*more than one value", err, re.M
    )
    assert "Page: out/report.html" in out


BAD = {
    "unreadable": (["east.csv", "broken.parquet"], DataError, r"table 'broken\.parquet': "),
    "missing": (["east.csv", "wset.csv"], DataError, r"table 'wset\.csv': .*'west\.csv'"),
    "no target": (["east.csv", "other.csv"], DataError, r"table 'other\.csv': .*'y'"),
    "twice": (["east.csv", "./east.csv"], DataError, "given once. Got './east.csv', which is"),
    "again": (["east.csv", "east.csv"], DataError, "given once. Got 'east.csv' again"),
    "kinds": (["east.csv", "west.csv", "odd.csv"], DataError, "Got 3 classes in 'odd'"),
}


@pytest.mark.parametrize(("paths", "error", "words"), BAD.values(), ids=BAD)
def test_bad_files_are_refused_before_anything_runs(call, files, paths, error, words):
    with pytest.raises((error, InvalidParameterError), match=words) as caught:
        call(*paths)
    assert "\n" not in str(caught.value)
    assert not Path("out").exists()
