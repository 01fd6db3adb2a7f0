"""Whole comparisons on small tables: same rows everywhere, resumption, files, recipe."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pytest
from imblearn.over_sampling import ADASYN
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, matthews_corrcoef
from sklearn.model_selection import FixedThresholdClassifier, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from imbkit.bench import Learner, Strategy, compare
from imbkit.bench._comparison import Source
from imbkit.exceptions import DataError, InvalidParameterError, OutputError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    """The small table's run, and its directory, which is left as it is."""
    directory = tmp_path_factory.mktemp("finished")
    return small.run(*small.small_table(), output=directory), directory


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run's directory."""
    return shutil.copytree(finished[1], tmp_path / "copied")


def by_cell(found, timeless):
    return {row["cell"]: timeless(row) for row in found.rows()}


def rows_in(lines):
    """Rows among the lines of a file, without their checksums."""
    records = [json.loads(line) for line in lines]
    rows = [record for record in records if "cell" in record]
    return [{key: value for key, value in row.items() if key != "check"} for row in rows]


def test_same_rows_for_any_number_of_workers_and_backend(finished, table, run, timeless):
    alone = by_cell(finished[0], timeless)
    assert by_cell(run(*table, n_jobs=2), timeless) == alone
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert by_cell(run(*table, n_jobs=None), timeless) == alone


def test_a_cell_is_what_it_says(finished, table):
    """Recompute one cell by hand from the splits of the plan."""
    y = table[1]
    found = finished[0]
    split = found._plan.splits[1]
    row = next(r for r in found.rows() if r["cell"] == "none/hist_gradient_boosting/0/1")
    from imbkit._core.rng import derive
    from imbkit.bench._panel import LEARNERS, STRATEGIES

    model = STRATEGIES["none"].build(LEARNERS["hist_gradient_boosting"], found._plan.task)
    model.set_params(model__random_state=derive(0, "fit", 0, 1))
    matrix = found._plan.table.matrix
    with joblib.parallel_config(n_jobs=1):
        model.fit(matrix[split.train], y[split.train])
    score = model.predict_proba(matrix[split.test])[:, 1]
    assert row["scores"]["average_precision"] == pytest.approx(
        average_precision_score(y[split.test], score)
    )
    tuned = row["policies"]["tuned"]
    assert tuned["mcc"] == pytest.approx(
        matthews_corrcoef(y[split.test], score >= tuned["threshold"])
    )
    assert row["policies"]["default"]["mcc"] == pytest.approx(
        matthews_corrcoef(y[split.test], score >= 0.5)
    )


def test_the_baseline_is_always_first(table, run):
    found = run(*table, strategies=["smote"], learners=[GaussianNB()])
    first = found.summary["entries"][0]
    assert (first["id"], first["baseline"]) == ("none/hist_gradient_boosting", True)
    assert [entry["id"] for entry in found.summary["entries"][1:]] == ["smote/GaussianNB"]


def test_equal_rows_stay_together(table, run):
    X, y = table
    X, y = X.iloc[list(range(240)) + list(range(60))], np.append(y, y[:60])
    found = run(X, y)
    groups = found._plan.duplicates
    for split in found._plan.splits:
        assert not set(groups[split.train]) & set(groups[split.test])
    assert found.summary["data"]["duplicate_rows"] == 60


def test_a_random_label_is_not_learnt(run):
    """A leak would show as skill on labels that nothing predicts."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)), (rng.random(300) < 0.2).astype(int)
    X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    found = run(X, y, strategies=["random_over"])
    for entry in found.summary["entries"]:
        assert entry["scores"]["roc_auc"]["mean"] == pytest.approx(0.5, abs=0.1)


def test_interrupted_and_resumed(finished, copied, table, run, timeless):
    whole = finished[0]
    path = copied / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]) + lines[5][:30])
    kept = rows_in(lines[:5])
    assert len(kept) == 3
    again = run(*table, output=copied)
    assert again.rows()[:3] == kept
    assert by_cell(again, timeless) == by_cell(whole, timeless)
    first, second = whole.summary, again.summary
    assert {**first, "timing": None} == {**second, "timing": None}


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from small_runs import run, small_table
X, y = small_table(n_rows=1000, n_positive=150)
run(X, y, cv=(4, 1), output=Path({output!r}), n_jobs=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of POSIX systems")
def test_killed_and_run_again(tmp_path, small, timeless):
    code = KILLED.format(tests=str(Path(__file__).parent), output=str(tmp_path / "killed"))
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    rows = tmp_path / "killed" / "rows.jsonl"
    deadline = time.monotonic() + 120
    while not (rows.exists() and rows.read_bytes().count(b"\n") > 4):
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = rows_in(rows.read_bytes().splitlines(keepends=True)[:-1])
    X, y = small.small_table(n_rows=1000, n_positive=150)
    again = small.run(X, y, cv=(4, 1), output=tmp_path / "killed")
    whole = small.run(X, y, cv=(4, 1), output=tmp_path / "whole")
    assert again.rows()[: len(finished)] == finished
    assert len(finished) < len(again.rows())
    assert by_cell(again, timeless) == by_cell(whole, timeless)
    assert {**again.summary, "timing": None} == {**whole.summary, "timing": None}


def test_another_strategy_reuses_finished_cells(tmp_path, table, run):
    run(*table, strategies=["smote"], output=tmp_path)
    before = (tmp_path / "rows.jsonl").read_bytes()
    found = run(*table, strategies=["smote", "random_over"], output=tmp_path)
    assert (tmp_path / "rows.jsonl").read_bytes().startswith(before)
    assert len(found.rows()) == 9


@pytest.mark.parametrize(
    "change", [{"random_state": 1}, {"cv": (4, 1)}, {"objective": "f1"}, {"metric": "f1"}]
)
def test_other_options_are_another_run(copied, table, run, change):
    with pytest.raises(OutputError, match="other options"):
        run(*table, output=copied, **change)


def test_another_table_is_another_run(copied, table, run):
    X, y = table
    with pytest.raises(OutputError, match="another table"):
        run(X.assign(a=X["a"] + 1e-9), y, output=copied)


def test_files(finished):
    found, directory = finished
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["model.skops", "recipe.py", "report.html", "rows.jsonl", "summary.json"]
    assert json.loads((directory / "summary.json").read_text()) == found.summary
    assert (directory / "recipe.py").read_text() == found.recipe()
    assert "<html" in (directory / "report.html").read_text()


def test_a_failing_learner_is_reported_and_the_rest_runs(table, run):
    found = run(*table, learners=["logistic", FailsSometimes()], strategies=["none"])
    entry = next(e for e in found.summary["entries"] if e["learner"] == "FailsSometimes")
    assert (entry["done"], entry["failed"]) == (2, 1)
    problem = next(p for p in found.summary["problems"] if p["kind"] == "failed")
    assert problem["text"] == "RuntimeError: it is not my day"
    assert found.summary["entries"][0]["done"] == 3


class FailsSometimes(DecisionTreeClassifier):
    """Raises on the first of the three whole training sides that it sees."""

    seen: ClassVar[list[int]] = []

    def fit(self, X, y):
        if len(X) == 160:
            self.seen.append(len(X))
            if len(self.seen) == 1:
                raise RuntimeError("it is not my day\nand more")
        return super().fit(X, y)


def test_a_learner_without_probabilities(table, run):
    from sklearn.svm import LinearSVC

    found = run(*table, learners=[LinearSVC()], strategies=["none"])
    entry = next(e for e in found.summary["entries"] if e["learner"] == "LinearSVC")
    assert entry["scores"]["brier"]["mean"] is None
    assert entry["scores"]["average_precision"]["mean"] > 0.3


def test_many_classes(run):
    rng = np.random.default_rng(0)
    y = np.array(["common"] * 150 + ["rare"] * 30 + ["rarest"] * 12)
    X = rng.normal(size=(192, 3)) + (y == "rare")[:, None] - 2 * (y == "rarest")[:, None]
    found = run(X, y, strategies=["class_weight", "smote"])
    summary = found.summary
    assert summary["task"]["kind"] == "multiclass"
    for entry in summary["entries"]:
        assert set(entry["recalls"]) == {"common", "rare", "rarest"}
        assert [policy["policy"] for policy in entry["policies"]] == ["argmax", "tuned"]
        assert entry["recalls"] == entry["policies"][1]["recalls"]
        assert entry["recalls"] != entry["policies"][0]["recalls"]
        weights = entry["class_weights"]
        assert weights["common"]["folds"] == [1.0] * 3
        assert all(w["low"] <= w["median"] <= w["high"] for w in weights.values())
        assert entry["scores"]["average_precision"]["mean"] > 0.5


def test_the_recipe_and_the_page_decide_between_many_classes_as_is_recommended(run, tmp_path):
    rng = np.random.default_rng(0)
    y = np.repeat([10, 20, 30], [150, 30, 12])
    X = rng.normal(size=(192, 3)) + (y == 20)[:, None] - 2 * (y == 30)[:, None]
    found = run(X, y, strategies=[], learners=[], output=tmp_path / "out")
    scope = {"X": X, "y": y, "__file__": str(tmp_path / "out" / "recipe.py")}
    exec(compile(found.recipe(), "recipe.py", "exec"), scope)
    rows = np.array([row["class_weights"] for row in found.rows()])
    assert scope["weights"] == pytest.approx(np.median(rows, axis=0), rel=1e-5)
    model = found.best_estimator()
    expected = model.classes_[(model.predict_proba(X) * np.median(rows, axis=0)).argmax(axis=1)]
    assert (scope["predicted"] == expected).mean() > 0.99
    assert (model.predict(X) == model.classes_[model.predict_proba(X).argmax(axis=1)]).all()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "the saved model predicts the most probable class" in page
    assert "Weights of the classes" in page
    assert "with tuned weights of the classes" in found.verdict[1]
    assert "tuned threshold" not in page


def test_learners_without_probabilities_are_named_where_weights_are_tuned(run):
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 240, p=[0.6, 0.3, 0.1])
    X = np.column_stack([y == "a", y == "b"]) + 0.3 * rng.normal(size=(240, 2))
    from sklearn.svm import LinearSVC

    found = run(X, y, learners=[LinearSVC()], strategies=["none"])
    (problem,) = found.summary["problems"]
    assert (problem["kind"], problem["count"]) == ("left out", 3)
    assert "gives no probabilities" in problem["text"]
    entry = next(e for e in found.summary["entries"] if e["learner"] == "LinearSVC")
    assert entry["class_weights"] == {}
    assert entry["policies"][1]["metrics"] == {}
    assert entry["policies"][0]["metrics"]["mcc"]["mean"] > 0.5


def test_python_objects_as_strategies_and_learners(table, run):
    own = Strategy("doubled", lambda learner, task: learner.pipeline(task, C=2.0))
    found = run(
        *table,
        strategies=[own, ADASYN(), "SMOTE", "imblearn.over_sampling:RandomOverSampler"],
        learners=[Learner("ridge", "ridge", LogisticRegression(C=0.1))],
    )
    ids = {entry["id"] for entry in found.summary["entries"]}
    assert ids >= {"doubled/ridge", "ADASYN/ridge", "SMOTE/ridge", "RandomOverSampler/ridge"}
    assert not [p for p in found.summary["problems"] if p["kind"] == "failed"]


def test_a_splitter(table, run):
    X, y = table
    X, y = X.iloc[[*range(240), 0, 1, 2]], np.append(y, y[:3])
    found = run(X, y, cv=StratifiedKFold(4))
    assert len(found._plan.splits) == 4
    groups = found._plan.duplicates
    for split in found._plan.splits:
        assert not set(groups[split.train]) & set(groups[split.test])
    assert any("left out because an equal row" in text for text in found.verdict)


def test_groups(table, run):
    X, y = table
    customers = np.repeat(np.arange(60), 4)
    found = run(X, y, groups=customers)
    for split in found._plan.splits:
        assert not set(customers[split.train]) & set(customers[split.test])


@pytest.mark.parametrize("kind", ["pandas", "polars", "numpy", "converted"])
def test_the_recipe_runs_and_the_estimator_predicts(tmp_path, table, run, kind):
    X, y = table
    if kind == "converted":
        X = X.assign(flag=X["a"] > 0, kind=X["kind"].astype(object).where(X["b"] < 1, None))
    if kind == "polars":
        X = pytest.importorskip("polars").from_pandas(X)
    if kind == "numpy":
        X = X[["a", "b"]].to_numpy()
    found = run(X, y, source=Source(reading=("pass",)))
    scope = {"X": X, "y": y}
    exec(found.recipe().replace("pass\n", ""), scope)
    model = found.best_estimator()
    expected = model.predict_proba(X)
    np.testing.assert_allclose(scope["model"].predict_proba(X), expected, rtol=1e-12)
    assert scope["model"].threshold == model.threshold
    assert average_precision_score(y, expected[:, 1]) > 0.6


def test_many_positive_labels_in_the_recipe(run, table):
    X, _ = table
    rng = np.random.default_rng(1)
    y = rng.choice(["dos", "normal", "r2l", "u2r"], 240, p=[0.3, 0.4, 0.2, 0.1])
    found = run(X, y, positive=["r2l", "u2r"], source=Source(reading=("pass",)))
    assert "y.isin(['r2l', 'u2r'])" in found.recipe()
    model = found.best_estimator()
    assert set(model.predict(X)) <= {0, 1}


def test_budget(table, run):
    found = run(*table, budget_minutes=1e-9)
    assert found.rows() == []
    assert found.summary["verdicts"][0]["outcome"] == "undecided"
    assert {p["kind"] for p in found.summary["problems"]} == {"not run"}


def test_ranking_and_decisions_are_not_mixed(table, run):
    found = run(*table, metric="recall_at_precision_0.5", objective="gmean")
    ranking, decisions = found.summary["verdicts"]
    assert (ranking["metric"], ranking["policy"]) == ("recall_at_precision_0.5", "none")
    assert (decisions["metric"], decisions["policy"]) == ("gmean", "tuned")
    assert "gmean" not in found.summary["entries"][0]["scores"]


def test_a_count_metric_is_the_objective(table, run):
    task = run(*table, metric="f1").summary["task"]
    assert (task["ranking_metric"], task["decision_metric"]) == ("average_precision", "f1")


def test_frame_and_notebook(table):
    found = compare(*table, strategies=["smote"], learners=["logistic"], cv=3)
    frame = found.frame()
    assert list(frame.columns[:4]) == ["strategy", "learner", "policy", "threshold"]
    assert len(frame) == 4
    assert found._repr_html_().startswith("<iframe srcdoc=")
    assert repr(found) == "\n".join(found.verdict)


def test_few_rows_are_a_caution(run):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 2)), np.arange(100) < 3
    found = run(X, y, cv=(5, 1))
    assert found.summary["task"]["folds"] == 3
    assert any("only 3 distinct rows" in text for text in found.verdict)
    assert any("cannot be told from luck" in text for text in found.verdict)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_class_that_is_too_small(run, rows):
    X, y = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) < rows
    with pytest.raises(DataError, match=f"needs at least 3 distinct rows.*Got {rows} for 'True'"):
        run(X, y)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"strategies": ["smot"]}, InvalidParameterError, "Did you mean 'smote'"),
        ({"strategies": [3]}, InvalidParameterError, "a strategy must be"),
        ({"learners": ["logistc"]}, InvalidParameterError, "Did you mean 'logistic'"),
        ({"learners": ["SMOTE"]}, InvalidParameterError, "a learner must be"),
        ({"metric": "average_precison"}, InvalidParameterError, "average_precision"),
        ({"metric": "recall_at_fpr_2"}, InvalidParameterError, "between 0 and 1"),
        ({"metric": "f1", "objective": "mcc"}, InvalidParameterError, "must be a ranking measure"),
        ({"cv": 1}, InvalidParameterError, "at least 2 folds"),
        ({"cv": "five"}, InvalidParameterError, "at least 2 folds"),
        ({"budget_minutes": 0}, InvalidParameterError, "must be positive"),
        ({"groups": [1, 2]}, DataError, "one value for each"),
        ({"positive": ["2"]}, InvalidParameterError, "must occur in the target"),
        ({"random_state": -1}, InvalidParameterError, "seed"),
    ],
)
def test_wrong_options(table, run, change, error, words):
    with pytest.raises(error, match=words):
        run(*table, **change)


def test_two_strategies_of_one_name(table, run):
    twice = [Strategy("own", lambda learner, task, c=c: learner.pipeline(task)) for c in (1, 2)]
    with pytest.raises(InvalidParameterError, match="different names"):
        run(*table, strategies=twice)


def test_lengths_differ(table, run):
    X, y = table
    with pytest.raises(DataError, match="same number of rows. Got 240 and 239"):
        run(X, y[:-1])


def test_a_constant_learner_gets_no_skill(table, run):
    found = run(*table, learners=[DummyClassifier()], strategies=["none"])
    entry = next(e for e in found.summary["entries"] if e["learner"] == "DummyClassifier")
    assert entry["scores"]["average_precision"]["mean"] == pytest.approx(0.15)
    assert entry["scores"]["roc_auc"]["mean"] == 0.5


DAYS = np.datetime64("2024-01-01") + np.arange(240) // 6


@pytest.fixture(scope="module")
def everything(small, tmp_path_factory):
    """A table and options with all that may be known of its rows, the run, its directory."""
    X, y = small.small_table()
    X = X.assign(when=DAYS, card=np.arange(240) % 80, amount=np.exp(X["b"]), w=1 + X["a"] ** 2)
    options = {
        "strategies": ["none", "class_weight", "smote", "under_ensemble"],
        "time": "when",
        "groups": "card",
        "label_delay": "2d",
        "sample_weight": "w",
        "costs": {"fn_cost": "amount", "fp_cost": 0.5, "tp_gain": 0.1},
        "alerts_per_day": 2,
        "prevalence": 0.01,
    }
    directory = tmp_path_factory.mktemp("everything")
    return X, y, options, small.run(X, y, **options, output=directory), directory


def test_with_everything_workers_and_interruptions_change_nothing(
    everything, tmp_path, run, timeless
):
    X, y, options, alone, directory = everything
    assert {row["status"] for row in alone.rows()} == {"done"}
    lines = (directory / "rows.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_bytes(b"".join(lines[:5]) + lines[5][:77])
    again = run(X, y, **options, output=tmp_path)
    different = ("timing", "recipe")
    expected = {k: v for k, v in alone.summary.items() if k not in different}
    for found in (run(X, y, **options, n_jobs=2), again):
        assert by_cell(found, timeless) == by_cell(alone, timeless)
        assert {k: v for k, v in found.summary.items() if k not in different} == expected


def test_with_everything_the_summary_has_it(everything):
    X, _, _, found, _ = everything
    summary = found.summary
    baseline = summary["entries"][0]
    assert summary["verdicts"][1]["metric"] == "cost_per_1000"
    assert [p["policy"] for p in baseline["policies"]] == [
        "default",
        "tuned",
        "expected_loss",
        "budget",
    ]
    assert summary["optimism"]["entry"] == baseline["id"]
    assert summary["optimism"]["time_mean"] != summary["optimism"]["random_mean"]
    left = {p["where"] for p in summary["problems"] if p["kind"] == "left out"}
    assert left == {"under_ensemble/logistic"}
    assert {c["name"] for c in summary["data"]["columns"]} == {"a", "b", "kind", "amount"}
    frame = found.frame()
    assert len(frame) == 4 * len(summary["entries"])
    assert frame["cost_per_1000"].notna().all()
    model = found.best_estimator()
    assert model.predict(X[["a", "b", "kind", "amount"]]).shape == (240,)


def test_without_time_there_is_no_optimism(table, run):
    found = run(*table, strategies=[], learners=[])
    assert found.summary["optimism"] is None
    assert {row["part"] for row in found.rows()} == {"main"}


def test_the_best_estimator_is_a_fixed_threshold(finished):
    found = finished[0]
    first, second = found.best_estimator(), found.best_estimator()
    assert type(first) is FixedThresholdClassifier
    assert first is not second
    cuts = [
        row["policies"]["tuned"]["threshold"]
        for row in found.rows()
        if f"{row['strategy']}/{row['learner']}" == found.summary["recommended"]
    ]
    assert first.threshold == np.median(cuts)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"alerts": 241}, DataError, "alerts must not exceed the 240 rows"),
        ({"prevalence": 1}, InvalidParameterError, "between 0 and 1"),
        ({"time": np.ones(240)}, DataError, "times must differ"),
        ({"time": ["soon"] * 240}, DataError, "ISO 8601"),
        ({"label_delay": "7d"}, InvalidParameterError, "needs a time column"),
        ({"alerts_per_day": 5}, InvalidParameterError, "need a time column"),
        ({"time": DAYS, "label_delay": "400d"}, DataError, "Use a shorter delay"),
        ({"groups": np.ones(240)}, DataError, "more than one group"),
        ({"costs": {"fn_cost": "kind", "fp_cost": 1}}, DataError, "must be numbers"),
        ({"costs": {"fn_cost": -1, "fp_cost": 1}}, InvalidParameterError, "not negative"),
        ({"costs": {"fn_cost": "nothing", "fp_cost": 1}}, InvalidParameterError, "number or a col"),
        ({"sample_weight": -np.ones(240)}, DataError, "none below 0"),
    ],
)
def test_wrong_rows_and_money(table, run, change, error, words):
    with pytest.raises(error, match=words):
        run(*table, **change)


@pytest.mark.parametrize(
    "change",
    [{"costs": {"fn_cost": 1, "fp_cost": 1}}, {"alerts": 5}, {"prevalence": 0.1}],
)
def test_money_needs_two_classes(table, run, change):
    with pytest.raises(InvalidParameterError, match="needs? one class that is positive"):
        run(table[0], np.arange(240) % 3, **change)
