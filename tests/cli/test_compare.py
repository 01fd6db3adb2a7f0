"""``imbkit compare``: options, messages, exit codes, and what it leaves behind."""

import importlib
import json
import re
import shlex
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
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
        "--learner logistic --learner a.b:C --output out/deep --quiet "
        "--objective recall_at_precision:0.9"
    )
    done = run(*argv)
    assert (done.code, done.out, done.err) == (0, "", "")
    (call,) = smooth.calls
    assert list(call.X.columns) == ["income"]
    assert call.y.tolist() == ["no", "yes", "no"]
    assert call.positive == ["yes"]
    assert call.cv == (4, 3)
    assert (call.random_state, call.n_jobs, call.metric) == (7, 2, "roc_auc")
    assert call.objective == "recall_at_precision:0.9"
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
    assert full.objective is None
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


def test_options_on_rows_and_money_reach_the_comparison(run, smooth, loans, tmp_path):
    (tmp_path / "late.csv").write_text("income,age,default\n3.5,30,no\n2.5,41,yes\n")
    argv = shlex.split(
        "compare loans.csv --target default --time age --label-delay 7 --fn-cost income "
        "--fp-cost 5 --tp-gain 0.5 --alerts-per-day 2 --prevalence 0.01 --test late.csv --quiet"
    )
    assert run(*argv).code == 0
    (call,) = smooth.calls
    assert (call.time, call.label_delay, call.groups) == ("age", "7", None)
    assert call.costs == {"fn_cost": "income", "fp_cost": "5", "tp_gain": "0.5"}
    assert (call.alerts, call.alerts_per_day, call.prevalence) == (None, 2, 0.01)
    X_test, y_test = call.test
    assert list(X_test.columns) == ["income", "age"]
    assert y_test.tolist() == ["no", "yes"]
    assert call.source.test_name == "late.csv"
    # A column with a role stands in the table; the comparison takes it out.
    assert list(call.X.columns) == ["age", "income"]


def test_the_test_table_may_lack_what_is_dropped(run, smooth, loans, tmp_path):
    (tmp_path / "late.csv").write_text("income,default\n3.5,no\n2.5,yes\n")
    argv = "compare loans.csv --target default --drop age --test late.csv --quiet"
    assert run(*argv.split()).code == 0
    assert list(smooth.calls[0].test[0].columns) == ["income"]


def test_without_those_options_nothing_is_asked(run, smooth, loans):
    assert run("compare", "loans.csv", "--target", "default").code == 0
    (call,) = smooth.calls
    names = "time groups label_delay sample_weight costs alerts alerts_per_day prevalence test"
    assert {getattr(call, name) for name in names.split()} == {None}
    assert call.onnx is False


def test_the_recipe_reads_without_the_columns_that_have_a_role(run, smooth, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,w,g,y\n1,2,0.5,x,no\n3,4,1.5,y,yes\n")
    assert run(*f"compare {path} --target y --weight w --group g --drop w,b".split()).code == 0
    (call,) = smooth.calls
    assert call.source.dropped == ("b",)
    space = {}
    exec("\n".join(call.source.reading), space)
    assert space["weight"].tolist() == [0.5, 1.5]
    assert list(space["X"].columns) == ["a"]
    assert space["y"].tolist() == ["no", "yes"]


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
    "test of two tables": (
        "loans.csv loans.csv --target default --test loans.csv",
        "--test must come with one table only. Got 2 tables",
    ),
    "test of no file": ("loans.csv --target default --test loan.csv", "must exist"),
    "test without target": ("loans.csv --test loans.csv", "--target must name"),
    "alerts": ("--alerts 0", "--alerts: must be a number above 0"),
    "alerts word": ("--alerts many", "number above 0"),
    "alerts a day": ("--alerts-per-day -3", "number above 0|expected one argument"),
    "prevalence": ("--prevalence 0", "--prevalence: .*between 0 and 1"),
    "prevalence too large": ("--prevalence 1.5", "between 0 and 1"),
    "prevalence word": ("--prevalence rare", "between 0 and 1"),
    "cost is target": (
        "loans.csv --target default --fn-cost default --fp-cost 1",
        "--fn-cost must not name the target. Got 'default'",
    ),
    "false alarm is target": (
        "loans.csv --target default --fn-cost 1 --fp-cost default",
        "--fp-cost must not name the target",
    ),
    "gain is target": (
        "loans.csv --target default --tp-gain default",
        "--tp-gain must not name the target",
    ),
    "time is target": (
        "loans.csv --target default --time default",
        "--time must not name the target",
    ),
    "group is target": (
        "loans.csv --target default --group default",
        "--group must not name the target",
    ),
    "weight is target": (
        "loans.csv --target default --weight default",
        "--weight must not name the target",
    ),
    "cost is dropped": (
        "loans.csv --target default --drop income --fn-cost income --fp-cost 1",
        "--fn-cost must not name a dropped column. Got 'income'. Leave it in",
    ),
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
        "model.skops",
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


TRANSFER = """
import sys, numpy as np
sys.path.insert(0, {folder!r})
import recipe
np.savez({out!r}, shipped=recipe.shipped.predict(recipe.X), again=recipe.model.predict(recipe.X),
         chance=recipe.shipped.predict_proba(recipe.X), columns=list(recipe.X.columns))
"""


@pytest.mark.parametrize("weight", ["", " --weight w"])
def test_recipe_and_model_give_the_predictions_of_the_report_in_a_new_process(
    run, tmp_path, weight
):
    """From a file through the command line, with every kind of column that has a role."""
    rng = np.random.default_rng(0)
    names = ["fine", "fraud", "theft"]
    y = rng.choice(3, 240, p=[0.8, 0.1, 0.1])
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=240) + (y > 0),
            "kind": np.where(rng.random(240) < 0.3 + 0.4 * (y > 0), "card", "cash"),
            "when": np.arange(240),
            "w": rng.uniform(0.5, 2, 240).round(2),
            "amount": rng.lognormal(size=240).round(2),
            "class": np.array(names)[y],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    line = (
        "compare t.csv --target class --positive fraud,theft --time when --fn-cost amount "
        "--fp-cost 0.5 --strategy none --learner logistic --folds 3 --jobs 1 --output out --quiet"
    )
    kept = []
    module = importlib.import_module("imbkit.bench._comparison")
    whole = module.run_comparison

    def keep(*args, **options):
        kept.append(whole(*args, **options))
        return kept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_comparison", keep)
        done = run(*shlex.split(line + weight))
    assert (done.code, done.err) == (0, "")
    code = TRANSFER.format(folder=str(tmp_path / "out"), out=str(tmp_path / "found.npz"))
    new = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert new.returncode == 0, new.stderr
    assert "agree on 100.00% of the rows" in new.stdout
    found = np.load(tmp_path / "found.npz")
    columns = ["a", "kind", "amount"] if weight else ["a", "kind", "w", "amount"]
    assert found["columns"].tolist() == columns
    model = kept[0].best_estimator()
    X = frame[columns]
    np.testing.assert_array_equal(found["shipped"], model.predict(X))
    np.testing.assert_array_equal(found["again"], model.predict(X))
    np.testing.assert_array_equal(found["chance"], model.predict_proba(X))
    assert 0 < found["shipped"].mean() < 1
