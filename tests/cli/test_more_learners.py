"""``imbkit compare --learner rvfl``: a run from file to files."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from imbkit.bench._more_learners import more_learner_names


def test_they_are_listed_with_what_sets_them_apart(run):
    lines = json.loads(run("list", "learners", "--json").out)
    apart = {x["name"]: x["summary"] for x in lines if "only where named" in x["summary"]}
    assert apart == {name: f"{title}; only where named" for name, title in more_learner_names()}


def test_from_a_file_to_files(run, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(500, 6)), columns=list("abcdef"))
    # Between two slanting planes: neither a line nor few steps along the columns show it.
    table["ill"] = np.where(table.sum(axis=1).abs() > 3.4, "yes", "no")
    table.to_csv("t.csv", index=False)
    argv = "compare t.csv --target ill --folds 3 --repeats 1 --jobs 1 --strategy class_weight"
    done = run(*argv.split(), "--learner", "rvfl")
    assert (done.code, done.err.count("failed")) == (0, 0)
    folder = tmp_path / "imbkit-report"
    found = json.loads((folder / "summary.json").read_text())
    assert [each["id"] for each in found["entries"]] == [
        "none/hist_gradient_boosting",
        "class_weight/rvfl",
    ]
    assert found["recommended"] == "class_weight/rvfl"
    # A user gets the model anew, and it is the one that was saved.
    recipe = (folder / "recipe.py").read_text()
    assert "from imbkit.rvfl import RVFLClassifier" in recipe
    told = subprocess.run(
        [sys.executable, folder / "recipe.py"], capture_output=True, text=True, check=True
    )
    assert "agree on 100.00% of the rows" in told.stdout


def test_a_net_by_its_loss_from_a_file_to_files(run, tmp_path):
    pytest.importorskip("skorch", reason="torch and skorch are not installed (extra: nets)")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    table["kind"] = rng.choice(["x", "y"], 200)
    table["ill"] = np.where(table["a"] + table["b"] > 1.2, "yes", "no")
    table.to_csv("t.csv", index=False)
    argv = "compare t.csv --target ill --folds 2 --repeats 1 --jobs 1 --strategy none --learner"
    done = run(*argv.split(), "net:balanced-softmax")
    assert (done.code, done.err.count("failed")) == (0, 0)
    found = json.loads((tmp_path / "imbkit-report" / "summary.json").read_text())
    assert found["entries"][1]["id"] == "none/net:balanced-softmax"
    assert "net with balanced softmax" in done.out
    refused = run(*argv.split(), "net:balanced-softmx")
    assert refused.code == 2
    assert "Did you mean 'balanced_softmax'" in refused.err
