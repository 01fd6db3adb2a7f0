"""``imbkit compare --ordered``: how the stages are written, and a run from file to files."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def visits(tmp_path):
    """Visits that end in one of three stages, one of which has a comma in its name."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 3))
    score = X[:, 0] + X[:, 1] + rng.logistic(size=240) / 2
    stage = np.where(score > 2, "buy, now", np.where(score > 0.3, "cart", "none"))
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(stage=stage, grade=score.round())
    # The column has an order of its own, which is not the one that is asked for.
    table["stage"] = pd.Categorical(stage, ["buy, now", "cart", "none"], ordered=True)
    table["grade"] = np.select([score > 2, score > 0.3], [9, 6], 3)
    path = tmp_path / "visits.parquet"
    table.to_parquet(path)
    return path


@pytest.mark.parametrize(
    ("written", "stages"),
    [
        ("--ordered none,cart,buy", ["none", "cart", "buy"]),
        ("--ordered none,cart --ordered buy", ["none", "cart", "buy"]),
        ("""--ordered 'none,"buy, now",paid'""", ["none", "buy, now", "paid"]),
        ("--ordered", True),
        ("--ordered=-1,0,1", ["-1", "0", "1"]),
        ("", None),
    ],
)
def test_the_stages_reach_the_comparison(run, asked, loans, written, stages):
    assert run(*shlex.split(f"compare loans.csv --target default {written} --quiet")).code in (0, 1)
    assert asked.calls[0].ordered == stages


def test_a_table_behind_the_option_is_not_taken_for_a_stage(run, asked, loans):
    done = run("compare", "--target", "default", "--ordered", "loans.csv")
    assert done.code == 2
    assert "Got 'loans.csv'. For numbers write: imbkit compare loans.csv --target" in done.err
    assert asked.calls == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("--ordered none,cart", "Got none for 'buy, now' in stage"),
        ("--ordered none,cart,buy", "'none'; on a command line one with a comma stands in double"),
        ("--ordered none,cat,buy", "Got 'cat', which is not in stage. Did you mean 'cart'?"),
        ("--ordered none", "at least two stages must be named"),
        ("--ordered none,none", "'none' more than once"),
        ("--ordered none,cart --positive cart", "positive and ordered must not be given together"),
        ("--ordered ,", "must be names with commas between"),
        ("--learner presto", "presto without an order. Name the stages"),
    ],
)
def test_what_cannot_be_an_order(run, visits, written, words):
    done = run(*shlex.split(f"compare visits.parquet --target stage {written}"))
    assert done.code == 2
    assert words in done.err
    assert done.err.strip().count("\n") == 0


def test_several_tables_have_no_stages(run, visits, tmp_path):
    (tmp_path / "more.parquet").write_bytes(visits.read_bytes())
    done = run("compare", "visits.parquet", "more.parquet", "--target", "grade", "--ordered")
    assert done.code == 2
    assert "--ordered must come with one table only. Got 2 tables" in done.err


def test_from_a_file_to_files(run, visits, tmp_path):
    """The recipe trains on the stages, in the order that was asked for."""
    argv = "compare visits.parquet --target stage --drop grade --folds 2 --repeats 1 --jobs 1"
    stages = 'none,cart,"buy, now"'
    done = run(*argv.split(), "--ordered", stages, "--learner", "proportional_odds")
    assert (done.code, done.err.count("failed")) == (0, 0)
    for word in ("Probability", "Decisions", "Constant", "Log-loss, mean"):
        assert word in done.out
    found = json.loads((tmp_path / "imbkit-report" / "summary.json").read_text())
    assert found["task"]["stages"] == ["none", "cart", "buy, now"]
    assert [each["id"] for each in found["entries"]].count("none/constant") == 1
    page = (tmp_path / "imbkit-report" / "report.html").read_text()
    assert "none &lt; cart &lt; buy, now" in page
    recipe = tmp_path / "imbkit-report" / "recipe.py"
    ran = subprocess.run([sys.executable, recipe], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "agree on 100.00% of the rows" in ran.stdout


def test_numbers_alone(run, visits, tmp_path):
    argv = "compare visits.parquet --target grade --ordered --drop stage --folds 2 --repeats 1"
    done = run(*argv.split(), "--learner", "proportional_odds", "--jobs", "1", "--json")
    assert done.code == 0
    assert json.loads(done.out)["task"]["stages"] == ["3", "6", "9"]
