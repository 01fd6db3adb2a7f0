import json
import re
import shlex
import warnings
from types import SimpleNamespace

import pytest

from imbkit.exceptions import DataError, LeakWarning, OutputError


@pytest.fixture
def smooth(asked):
    """An answer in which no cell failed."""
    kept = [p for p in asked.summary["problems"] if p["kind"] != "failed"]
    asked.summary["problems"] = kept
    return asked


def test_options_reach_the_comparison(run, smooth, loans):
    argv = shlex.split(
        "compare loans.csv --target default --positive yes --drop age --folds 4 --repeats 3 "
        "--seed 7 --jobs 2 --metric roc_auc --budget-minutes 1.5 --strategy smote "
        "--learner logistic --learner a.b:C --output out/deep --quiet"
    )
    done = run(*argv)
    assert (done.code, done.out, done.err) == (0, "", "")
    (call,) = smooth.calls
    assert list(call.X.columns) == ["income"]
    assert call.y.tolist() == ["no", "yes", "no"]
    assert call.positive == ["yes"]
    assert call.cv == (4, 3)
    assert (call.random_state, call.n_jobs, call.metric) == (7, 2, "roc_auc")
    assert call.budget_minutes == 1.5
    assert call.learners == ["logistic", "a.b:C"]
    assert call.strategies == ["smote"]
    assert str(call.output) == "out/deep"
    assert call.progress is None
    assert call.source.name == "loans.csv"
    assert call.source.target == "default"
    assert call.source.dropped == ("age",)
    assert call.source.command == shlex.join(["imbkit", *argv])


def test_defaults(run, smooth, loans):
    assert run("compare", "loans.csv", "--target", "default").code == 0
    assert run("compare", "loans.csv", "--target", "default", "--quick").code == 0
    full, quick = smooth.calls
    assert (full.cv, full.quick, quick.cv, quick.quick) == ((5, 2), False, (3, 1), True)
    assert full.strategies is full.learners is full.metric is full.positive is None
    assert full.n_jobs >= 1
    assert full.random_state == 0
    assert str(full.output) == "imbkit-report"


def test_the_lines_of_the_recipe_read_the_same_table(run, smooth, loans):
    assert run("compare", str(loans), "--target", "default", "--drop", "age").code == 0
    (call,) = smooth.calls
    space = {}
    exec("\n".join(call.source.reading), space)
    assert space["X"].equals(call.X)
    assert space["y"].equals(call.y)


def test_without_a_table_the_shipped_one_is_used(run, smooth):
    assert run("compare", "--drop", "TBG").code == 0
    (call,) = smooth.calls
    assert call.X.shape == (3772, 28)
    assert call.source.target == "class"
    space = {}
    exec("\n".join(call.source.reading), space)
    assert space["X"].equals(call.X)


def test_names_with_commas_stand_in_quotation_marks(run, smooth, tmp_path):
    (tmp_path / "t.csv").write_text('"a,b",c,d,y\n1,2,3,no\n1,2,3,yes\n')
    argv = ["compare", "t.csv", "--target", "y", "--drop", '"a,b",c', "--drop", "c"]
    assert run(*argv, "--positive", "yes", "--positive", "maybe,perhaps").code == 0
    assert smooth.calls[0].source.dropped == ("a,b", "c")
    assert smooth.calls[0].positive == ["yes", "maybe", "perhaps"]


def test_the_verdict_and_the_page_are_named(run, smooth, loans):
    done = run("compare", "loans.csv", "--target", "default", "--output", "there")
    words = " ".join(done.out.split())
    for verdict in smooth.summary["verdicts"]:
        assert verdict["sentence"] in words
    assert "Page: there/report.html" in done.out
    assert "10 cells were not run; give the same command again" in words
    assert done.code == 0


def test_failed_cells_are_listed_and_give_code_1(run, asked, loans):
    done = run("compare", "loans.csv", "--target", "default")
    assert done.code == 1
    assert "1 cells failed, the rest is reported" in done.err
    assert "smote/logistic: ValueError: Input X contains infinity." in done.err
    quiet = run("compare", "loans.csv", "--target", "default", "--quiet")
    assert (quiet.code, quiet.out) == (1, "")
    assert "smote/logistic" in quiet.err


def test_json_is_the_summary_and_nothing_else(run, asked, loans):
    done = run("compare", "loans.csv", "--target", "default", "--json")
    assert json.loads(done.out) == asked.summary
    assert done.code == 1


BAD = {
    "no target": ("loans.csv", "--target must name"),
    "missing file": ("loan.csv --target default", r"must exist.*'loans\.csv'"),
    "suffix": ("notes.md --target default", r"\.parquet"),
    "unknown target": ("loans.csv --target defualt", "mean 'default'"),
    "unknown drop": ("loans.csv --target default --drop agee", "mean 'age'"),
    "folds": ("loans.csv --target default --folds 1", "--folds: must be a whole number from 2 on"),
    "folds word": ("loans.csv --target default --folds five", "whole number.*'five'"),
    "repeats": ("--repeats 0", "whole number from 1"),
    "seed": ("--seed -1", "whole number from 0|expected one argument"),
    "jobs": ("--jobs 0", "--jobs: must be a whole number from 1 on"),
    "budget": ("--budget-minutes nan", "number above 0"),
    "budget zero": ("--budget-minutes 0", "number above 0"),
    "empty name": ("--drop a,,b", "names with commas between"),
    "option": ("--foldz 3", "no option '--foldz'.*--folds"),
    "option with value": ("--stratgy=smote", "'--stratgy'.*--strategy"),
    "abbreviation": ("--tar x", "no option '--tar'"),
    "two tables": ("a.csv b.csv --target y", "too many arguments: b.csv"),
    "no value": ("--metric", "--metric: expected one argument"),
}


@pytest.mark.parametrize(("line", "words"), BAD.values(), ids=BAD)
def test_bad_usage_is_one_clean_line_and_code_2(run, asked, loans, tmp_path, line, words):
    (tmp_path / "notes.md").write_text("x")
    done = run("compare", *shlex.split(line))
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("imbkit compare: error: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert re.search(words, done.err), done.err
    assert asked.calls == []


@pytest.mark.parametrize(
    "error",
    [DataError("compare: there must be\n two classes."), OutputError("compare: no room.")],
)
def test_errors_of_the_comparison_are_one_clean_line(run, asked, loans, error):
    asked.error = error
    done = run("compare", "loans.csv", "--target", "default")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("imbkit compare: error: ")
    assert "error: compare:" not in done.err
    assert done.err.count("\n") == 1


def test_an_unexpected_error_keeps_its_traceback(run, asked, loans):
    asked.error = ZeroDivisionError("oops")
    with pytest.raises(ZeroDivisionError):
        run("compare", "loans.csv", "--target", "default")


def test_an_interruption_gives_130(run, asked, loans):
    asked.error = KeyboardInterrupt()
    done = run("compare", "loans.csv", "--target", "default")
    assert done.code == 130
    assert "interrupted" in done.err


def test_our_warnings_are_one_line_and_others_are_left_alone(run, monkeypatch, made, loans):
    summary = made.binary_summary() | {"problems": []}

    def warn(X, y, **options):
        warnings.warn("the column is known afterwards", LeakWarning, stacklevel=1)
        return SimpleNamespace(summary=summary)

    monkeypatch.setattr("imbkit.bench._comparison.run_comparison", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        loud = run("compare", "loans.csv", "--target", "default")
        quiet = run("compare", "loans.csv", "--target", "default", "--quiet")
    assert loud.err == "imbkit compare: warning: the column is known afterwards\n"
    assert quiet.err == ""


def test_a_small_run_ends_in_a_page(run, tmp_path):
    rows = [f"{k % 7},{(k * k) % 11},{'yes' if k % 5 == 0 else 'no'}" for k in range(120)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows, ""]))
    argv = ["compare", "t.csv", "--target", "y", "--quick", "--learner", "logistic", "--jobs", "1"]
    done = run(*argv)
    assert done.code == 0, done.err
    assert "Ranking" in done.out
    assert "% done" in done.err
    folder = tmp_path / "imbkit-report"
    assert {p.name for p in folder.iterdir()} == {
        "recipe.py",
        "report.html",
        "rows.jsonl",
        "summary.json",
    }
    again = run(*argv, "--json")
    summary = json.loads(again.out)
    assert "were finished before, 0 to run" in again.err
    assert summary["schema"] == "imbkit.comparison"
    other = run(*argv, "--seed", "1")
    assert other.code == 2
    assert "output directory" in other.err
