"""``imbkit report DIR``."""

import json
import shlex
import shutil

import pytest

from imbkit.cli import main


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder with a small table and its run's directory, which is left as it is."""
    folder = tmp_path_factory.mktemp("original")
    rows = [f"{k % 7},{(k * k) % 11},{'yes' if k % 5 == 0 else 'no'}" for k in range(120)]
    (folder / "t.csv").write_text("\n".join(["a,b,y", *rows, ""]))
    line = "compare t.csv --target y --quick --learner logistic --jobs 1 --output out"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(shlex.split(line)) == 0
    return folder


@pytest.fixture
def finished(run, original, tmp_path):
    """A copy of a small run's directory, where the command runs."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


def untimed(path):
    return {**json.loads((path / "summary.json").read_text()), "timing": None}


def test_page_and_summary_are_made_again_from_the_rows_alone(run, finished):
    before, page = untimed(finished), (finished / "report.html").read_text()
    for name in ("summary.json", "report.html", "recipe.py", "model.skops"):
        (finished / name).unlink()
    (finished.parent / "t.csv").unlink()
    done = run("report", "out")
    assert (done.code, done.err) == (0, "")
    assert untimed(finished) == before
    assert before["command"].startswith("imbkit compare t.csv --target y")
    again = (finished / "report.html").read_text()
    assert len(again) == pytest.approx(len(page), rel=0.01)
    words = " ".join(done.out.split())
    for verdict in before["verdicts"]:
        assert verdict["sentence"] in words
    assert "Page: out/report.html" in done.out


def test_json_and_quiet(run, finished):
    done = run("report", "out", "--json")
    assert json.loads(done.out) == json.loads((finished / "summary.json").read_text())
    assert run("report", "out", "--quiet").out == ""


def test_an_interrupted_run_says_what_is_missing(run, finished):
    path = finished / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]) + lines[5][:9])
    done = run("report", "out")
    assert done.code == 0
    assert "cells were not run; give the same command again to go on" in " ".join(done.out.split())


def edited(text):
    plan, at, rows = text.partition('{"cell"')
    return plan + at + rows.replace('"n_train": 80', '"n_train": 81', 1)


def of_another_version(text):
    return text.replace('"schema_version": 3', '"schema_version": 2', 1)


def without_plan(text):
    return "".join(line for line in text.splitlines(keepends=True) if '"plan"' not in line)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited, "line 3 of out/rows.jsonl, which is damaged or was changed"),
        (of_another_version, "must be of version 3. Got version 2"),
        (without_plan, "description of their comparison"),
        (lambda text: "", "hold the rows.jsonl of a comparison"),
        (lambda text: "a,b\n1,2\n", "line 1 of out/rows.jsonl"),
    ],
)
def test_rows_that_cannot_be_trusted_are_one_clean_line_and_code_2(run, finished, change, words):
    path = finished / "rows.jsonl"
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))
    done = run("report", "out")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("imbkit report: error: ")
    assert done.err.count("\n") == 1
    assert words in done.err


@pytest.mark.parametrize("directory", ["nowhere", "."])
def test_a_directory_without_rows(run, directory):
    done = run("report", directory)
    assert done.code == 2
    assert "Run `imbkit compare` first" in done.err


def test_bad_usage(run):
    assert run("report").code == 2
    assert "too many arguments: b" in run("report", "a", "b").err
    assert "no option '--jsn'" in run("report", "a", "--jsn").err
