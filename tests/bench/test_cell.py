"""A cell sees nothing of its test side before it scores it, and scores what it says."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from imbkit.bench import Strategy
from imbkit.bench._cell import inner_forward, inner_splits, run_cell, seed_estimator
from imbkit.bench._panel import LEARNERS, STRATEGIES
from imbkit.metrics import get_metric


class Recorder(ClassifierMixin, BaseEstimator):
    """Ranks by the first column, and notes the rows that it was fitted on and asked about."""

    seen: ClassVar[list[tuple[str, np.ndarray]]] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.append(("fit", X[:, 0].copy()))
        return self

    def predict_proba(self, X):
        self.seen.append(("predict", X[:, 0].copy()))
        chance = 1 / (1 + np.exp(-X[:, 0]))
        return np.column_stack([1 - chance, chance])


@pytest.fixture
def plan(table, small):
    """A plan of a table in which rows 0 to 59 come twice."""
    X, y = table
    X, y = X.iloc[[*range(240), *range(60)]], np.append(y, y[:60])
    return small.run(X, y, strategies=list(STRATEGIES), budget_minutes=1e-9)._plan


@pytest.fixture
def record(plan):
    """Return a function that runs a recording cell and gives what it saw."""

    def run(split=plan.splits[1]):
        Recorder.seen.clear()
        row = run_cell(replace(plan.cells[0], estimator=Recorder(), split=split), plan.data)
        assert row["status"] == "done", row["error"]
        return row, list(Recorder.seen)

    return run


def timeless_run(cell, data):
    row = run_cell(cell, data)
    assert row["status"] == "done", row["error"]
    return {k: v for k, v in row.items() if not k.endswith(("seconds", "bytes"))}


@pytest.mark.parametrize("k", [0, 3, 5, 7])
def test_labels_and_values_of_the_test_side_change_no_threshold(plan, k):
    """Of the baseline, and of logistic regression with under-sampling, SMOTE and an ensemble."""
    cell = plan.cells[k]
    test = cell.split.test
    codes, matrix = plan.data.codes.copy(), plan.data.matrix.copy()
    codes[test] = 1 - codes[test]
    other = replace(plan.data, codes=codes)
    first, second = timeless_run(cell, plan.data), timeless_run(cell, other)
    assert first["policies"]["tuned"]["threshold"] == second["policies"]["tuned"]["threshold"]
    assert first["scores"] != second["scores"]
    matrix[test] = matrix[test][::-1] * 3
    third = timeless_run(cell, replace(plan.data, matrix=matrix))
    assert first["policies"]["tuned"]["threshold"] == third["policies"]["tuned"]["threshold"]


def test_every_fit_and_score_is_on_the_rows_it_should_be_on(plan, record):
    split = plan.splits[1]
    _, seen = record(split)
    value = plan.data.matrix[:, 0]
    train, test = set(value[split.train]), set(value[split.test])
    assert not train & test
    inner, (what, last) = seen[:-1], seen[-1]
    assert what == "predict"
    assert set(last) == test
    assert all(set(rows) <= train for _, rows in inner)
    fits = [rows for what, rows in inner if what == "fit"]
    scored = [rows for what, rows in inner if what == "predict"]
    # One fit for each inner fold, and one on the whole training side. Equal rows have equal
    # values here, so disjoint values mean that none was both learnt and scored.
    assert len(fits) == plan.data.inner_folds + 1
    whole = max(fits, key=len)
    assert sorted(whole) == sorted(value[split.train])
    assert sorted(np.concatenate(scored)) == sorted(value[split.train])
    for rows in scored:
        assert any(not set(rows) & set(learnt) for learnt in fits)


def test_the_threshold_is_the_best_of_the_inner_folds(plan, record):
    """Brute force over all cut-offs of the pooled inner scores."""
    row, _ = record()
    split, metric = plan.splits[1], get_metric("mcc")
    y = plan.data.codes[split.train]
    scores = 1 / (1 + np.exp(-plan.data.matrix[split.train, 0]))
    cuts = np.append(np.unique(scores), np.inf)
    best = max(metric(y, (scores >= cut).astype(int)) for cut in cuts)
    chosen = row["policies"]["tuned"]["threshold"]
    assert metric(y, (scores >= chosen).astype(int)) == pytest.approx(best)


def test_recalls_are_those_of_scikit_learn(plan, record):
    row, _ = record()
    test = plan.splits[1].test
    guess = 1 / (1 + np.exp(-plan.data.matrix[test, 0])) >= row["policies"]["tuned"]["threshold"]
    expected = recall_score(plan.data.codes[test], guess, average=None)
    recalls = row["recalls"]["tuned"]
    assert [recalls["0"], recalls["1"]] == pytest.approx(expected.tolist())


def test_inner_folds_partition_the_training_side(plan):
    for split in plan.splits:
        tests = [test for _, test in inner_splits(split, plan.data)]
        assert sorted(np.concatenate(tests)) == list(range(split.train.size))


def test_splits_have_seeds_of_their_own(plan):
    seeds = []

    class Seeded(Recorder):
        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y):
            seeds.append(self.random_state)
            return super().fit(X, y)

    for split in plan.splits:
        run_cell(replace(plan.cells[0], estimator=Seeded(), split=split), plan.data)
    assert len(set(seeds)) == len(plan.splits)


def test_given_seeds_are_kept():
    assert seed_estimator(LogisticRegression(random_state=3), 7).random_state == 3
    assert seed_estimator(LogisticRegression(), 7).random_state == 7


def test_decision_functions_are_cut_at_zero(plan):
    cell = replace(plan.cells[0], estimator=LEARNERS["logistic"].pipeline(plan.task))
    chance = run_cell(cell, plan.data)["policies"]["default"]
    margin = LEARNERS["logistic"].pipeline(plan.task)
    margin.steps[-1] = ("model", _Margin(max_iter=1000))
    same = run_cell(replace(cell, estimator=margin), plan.data)
    assert same["policies"]["default"].pop("threshold") == 0
    assert chance.pop("threshold") == 0.5
    assert same["policies"]["default"] == pytest.approx(chance)
    assert same["scores"]["log_loss"] is None


class _Margin(LogisticRegression):
    """Logistic regression that offers no probabilities."""

    @property
    def predict_proba(self):
        raise AttributeError


def test_many_classes_decide_by_the_largest_score(small):
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 240, p=[0.6, 0.3, 0.1])
    X = np.column_stack([y == "a", y == "b"]) + 0.3 * rng.normal(size=(240, 2))
    plan = small.run(X, y, learners=[LinearSVC()], strategies=["none"], budget_minutes=1e-9)._plan
    for cell in plan.cells[:2]:
        row = run_cell(cell, plan.data)
        assert row["scores"]["roc_auc"] > 0.95
        assert row["policies"]["argmax"]["balanced_accuracy"] > 0.8
        assert np.mean(list(row["recalls"]["argmax"].values())) == pytest.approx(
            row["policies"]["argmax"]["recall"]
        )
    # The baseline has probabilities, so that its classes are weighed; LinearSVC has none.
    assert [bool(run_cell(cell, plan.data)["class_weights"]) for cell in plan.cells[:2]] == [
        True,
        False,
    ]


@pytest.fixture
def three(small):
    """A plan of three classes, the rarest of which is seldom the most probable."""
    rng = np.random.default_rng(0)
    y = np.repeat(["common", "rare", "rarest"], [300, 60, 40])
    X = rng.normal(size=(400, 2)) + 0.8 * np.column_stack([y == "rare", y == "rarest"])
    return small.run(
        X, y, strategies=[], learners=[], objective="balanced_accuracy", budget_minutes=1e-9
    )._plan


def test_the_weights_of_many_classes_are_the_best_of_the_inner_folds(three):
    """No pair of weights on a fine grid decides better on the pooled inner scores."""
    cell = replace(three.cells[0], estimator=GaussianNB())
    row = run_cell(cell, three.data)
    split = cell.split
    X, y = three.data.matrix[split.train], three.data.codes[split.train]
    chance = np.empty((y.size, 3))
    for train, test in inner_splits(split, three.data):
        chance[test] = GaussianNB().fit(X[train], y[train]).predict_proba(X[test])

    members = [np.flatnonzero(y == k) for k in range(3)]

    def value(weights):
        guess = (chance * weights).argmax(axis=1)
        return np.mean([(guess[rows] == k).mean() for k, rows in enumerate(members)])

    grid = np.geomspace(0.05, 50, 60)
    best = max(value([1.0, a, b]) for a in grid for b in grid)
    chosen = row["class_weights"]
    assert chosen[0] == 1.0
    assert value(chosen) >= best - 1e-9
    test = three.data.matrix[split.test]
    guess = (GaussianNB().fit(X, y).predict_proba(test) * chosen).argmax(axis=1)
    truth = three.data.codes[split.test]
    assert row["policies"]["tuned"]["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(truth, guess)
    )
    expected = recall_score(truth, guess, average=None)
    assert list(row["recalls"]["tuned"].values()) == pytest.approx(expected.tolist())
    assert row["policies"]["tuned"]["balanced_accuracy"] > (
        row["policies"]["argmax"]["balanced_accuracy"] + 0.02
    )
    assert not row["warnings"]


def test_labels_of_the_test_side_change_no_weight(three):
    cell = replace(three.cells[0], estimator=GaussianNB())
    codes = three.data.codes.copy()
    codes[cell.split.test] = (codes[cell.split.test] + 1) % 3
    first = run_cell(cell, three.data)
    second = run_cell(cell, replace(three.data, codes=codes))
    assert first["class_weights"] == second["class_weights"]
    assert first["policies"]["tuned"] != second["policies"]["tuned"]


def test_the_weights_of_many_classes_are_tuned_forward_in_time_where_that_is_possible(small):
    rng = np.random.default_rng(0)
    y = rng.choice([0, 1, 2], 600, p=[0.6, 0.2, 0.2])
    X = rng.normal(size=(600, 2)) + y[:, None]
    options = {"strategies": [], "learners": [], "budget_minutes": 1e-9, "cv": 3}
    plan = small.run(X, y, time=np.arange(600), **options)._plan
    split = plan.splits[-1]
    folds = inner_forward(split, plan.data)
    assert all(train.max() < test.min() for train, test in folds)
    order = np.arange(600)
    late = np.where(order < 300, order % 2, order % 3)  # the last class is unknown at first
    plan = small.run(X, rng.permutation(y), time=np.arange(600), **options)._plan
    data = replace(plan.data, codes=late)
    assert inner_forward(split, data) is None


@pytest.mark.parametrize("answer", [np.nan, None])
def test_learners_without_usable_scores_fail_alone(plan, answer):
    row = run_cell(replace(plan.cells[0], estimator=_Broken(answer)), plan.data)
    assert row["status"] == "failed"
    assert row["scores"] == {}


class _Broken(ClassifierMixin, BaseEstimator):
    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def __getattr__(self, name):
        if name == "predict_proba" and self.__dict__.get("answer") is not None:
            return lambda X: np.full((len(X), 2), self.answer)
        raise AttributeError(name)


def test_a_model_that_cannot_be_pickled_is_scored_all_the_same(table, small):
    own = Strategy(
        "own",
        lambda learner, task: learner.pipeline(
            task, wrap=lambda model: make_pipeline(FunctionTransformer(lambda X: X), model)
        ),
    )
    found = small.run(*table, strategies=[own])
    rows = [row for row in found.rows() if row["strategy"] == "own"]
    assert {(row["status"], row["model_bytes"]) for row in rows} == {("done", 0)}


class Weighed(Recorder):
    """Notes the weights that it was fitted with, beside the first column."""

    def fit(self, X, y, sample_weight=None):
        self.seen.append(("weight", np.asarray(sample_weight).copy()))
        return super().fit(X, y)


def test_weights_reach_the_model_with_their_rows(table, small):
    X, y = table
    weight = 1 + np.arange(240.0) / 7
    found = small.run(
        X, y, learners=[Weighed()], strategies=["none"], sample_weight=weight, budget_minutes=1e-9
    )
    plan = found._plan
    of_value = dict(zip(plan.data.matrix[:, 0], weight, strict=True))
    for cell in plan.cells:
        if cell.learner == "Weighed":
            Recorder.seen.clear()
            row = run_cell(replace(cell, estimator=Weighed()), plan.data)
            assert row["status"] == "done", row["error"]
            seen = list(Recorder.seen)
            fits = [k for k, (what, _) in enumerate(seen) if what == "fit"]
            assert len(fits) == plan.data.inner_folds + 1
            for k in fits:
                what, given = seen[k - 1]
                assert what == "weight"
                assert given.tolist() == [of_value[value] for value in seen[k][1]]


def test_weights_change_the_scores(table, run):
    weight = np.where(np.arange(240) % 2, 10.0, 0.1)
    plain, weighed = (
        run(*table, strategies=["none"], sample_weight=w).rows()[1] for w in (None, weight)
    )
    assert plain["cell"] == weighed["cell"]
    assert plain["scores"] != weighed["scores"]


def test_weights_go_through_samplers_and_what_would_lose_them_is_left_out(table, run):
    found = run(
        *table,
        strategies=["none", "class_weight", "random_under", "smote", "under_ensemble"],
        learners=["logistic", KNeighborsClassifier()],
        sample_weight=np.ones(240),
        budget_minutes=1e-9,
    )
    left = {p["where"]: p["text"] for p in found.summary["problems"] if p["kind"] == "left out"}
    assert left["none/KNeighborsClassifier"] == "KNeighborsClassifier takes no sample_weight"
    assert "takes no sample_weight" in left["under_ensemble/logistic"]
    kept = {entry["id"] for entry in found.summary["entries"]}
    assert {"none/hist_gradient_boosting", "none/logistic", "class_weight/logistic"} <= kept
    assert {"random_under/logistic", "smote/logistic"} <= kept
    assert not kept & set(left)
    assert any("Weights are used in training alone" in text for text in found.verdict)
    assert found.summary["task"]["weight"] == "sample_weight"


@pytest.fixture
def amount():
    return np.random.default_rng(4).lognormal(0, 1, 240)


@pytest.mark.parametrize("gain", [None, 2.0])
def test_the_threshold_is_the_cheapest_of_the_inner_folds(table, small, amount, gain):
    """Brute force over all cut-offs of the pooled inner scores."""
    costs = {"fn_cost": amount, "fp_cost": 0.4} | ({} if gain is None else {"tp_gain": gain})
    plan = small.run(*table, costs=costs, strategies=[], budget_minutes=1e-9)._plan
    for cell in plan.cells:
        row = run_cell(replace(cell, estimator=Recorder()), plan.data)
        train = cell.split.train
        y, spent = plan.data.codes[train] == 1, amount[train]
        scores = 1 / (1 + np.exp(-plan.data.matrix[train, 0]))

        def total(cut, y=y, spent=spent, scores=scores):
            alert = scores >= cut
            caught = (gain or 0.0) * np.sum(y & alert)
            return spent[y & ~alert].sum() + 0.4 * np.sum(alert & ~y) - caught

        best = min(total(cut) for cut in np.append(np.unique(scores), np.inf))
        chosen = row["policies"]["tuned"]["threshold"]
        assert total(np.inf if chosen is None else chosen) == pytest.approx(best)


def test_with_an_objective_costs_do_not_move_the_threshold(table, small, amount):
    costs = {"fn_cost": 50 * amount, "fp_cost": 0.4}
    options = {"strategies": [], "learners": []}
    plain, asked, cheap = (
        small.run(*table, **options, **more).rows()
        for more in ({}, {"costs": costs, "objective": "mcc"}, {"costs": costs})
    )
    cuts = [
        [row["policies"]["tuned"]["threshold"] for row in rows] for rows in (plain, asked, cheap)
    ]
    assert cuts[0] == cuts[1] != cuts[2]


def test_with_alerts_thresholds_stay_tuned_for_mcc(table, small):
    options = {"strategies": [], "learners": []}
    plain, alerts = (small.run(*table, **options, **more) for more in ({}, {"alerts": 20}))
    verdict = alerts.summary["verdicts"][1]
    assert (verdict["metric"], verdict["policy"]) == ("recall", "budget")
    for one, other in zip(plain.rows(), alerts.rows(), strict=True):
        assert one["policies"]["tuned"] == other["policies"]["tuned"]
    assert alerts.summary["recommended_policy"] == "budget"


def test_in_time_nothing_learns_from_what_comes_later(table, small):
    """Outer and inner folds alike, and labels that were not known yet are not learnt from."""
    X, y = table
    # The first column is the time, so that what was seen says when it happened.
    X = X.assign(a=np.random.default_rng(0).permutation(240) + 1.0)
    plan = small.run(
        X, y, time=X["a"].to_numpy(), label_delay=12, strategies=[], budget_minutes=1e-9
    )._plan
    for cell in plan.cells:
        if cell.split.part == "random":
            continue
        Recorder.seen.clear()
        run_cell(replace(cell, estimator=Recorder()), plan.data)
        *inner, (what, tested) = Recorder.seen
        assert what == "predict"
        whole = max((rows for what, rows in inner if what == "fit"), key=len)
        assert whole.max() <= tested.min() - 12
        forward = inner_forward(cell.split, plan.data)
        for train, test in forward or ():
            side = plan.data.times[cell.split.train]
            assert side[train].max() < side[test].min()
        scored = [rows for what, rows in inner if what == "predict"]
        fits = [rows for what, rows in inner if what == "fit" and len(rows) < len(whole)]
        if forward:
            for rows in scored:
                assert any(learnt.max() < rows.min() for learnt in fits)


def test_random_splits_tune_on_stratified_folds(table, small):
    X, y = table
    plan = small.run(X, y, time=np.arange(240), strategies=[], budget_minutes=1e-9)._plan
    beside = plan.beside[0]
    assert inner_forward(beside, plan.data) is None
    tests = [test for _, test in inner_splits(beside, plan.data)]
    assert sorted(np.concatenate(tests)) == list(range(beside.train.size))
