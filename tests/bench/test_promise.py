"""Objectives that keep a limit: read, tuned on inner folds, held against the test folds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from imbkit.bench._cell import inner_splits, run_cell
from imbkit.bench._page import page_of
from imbkit.bench._page_promise import promise_of
from imbkit.bench._promise import false_positive_rate, read_promise
from imbkit.bench._report import render_html, render_text
from imbkit.bench._summary_promise import breaks_promise, describe_promise
from imbkit.exceptions import InvalidParameterError
from imbkit.thresholds import AlertBudget, Constraint


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("recall_at_precision:0.9", Constraint("recall_at_precision", 0.9)),
        ("precision_at_recall:0.8", Constraint("precision_at_recall", 0.8)),
        (" recall_at_fpr:1e-3 ", Constraint("recall_at_fpr", 0.001)),
        ("recall_at_fpr:.1@0.95", Constraint("recall_at_fpr", 0.1, confidence=0.95)),
    ],
)
def test_promises_are_read(text, rule):
    found = read_promise(text)
    assert found.rule.get_params() == rule.get_params()
    assert read_promise(rule).card == found.card
    assert read_promise(found.card["objective"]).card == found.card


def test_cards_say_what_is_promised():
    words = [
        read_promise(each).card["words"]
        for each in ("recall_at_fpr:0.01@0.9", "precision_at_recall:0.8", AlertBudget(0.05))
    ]
    assert words == [
        "a false-positive rate of at most 0.01, with confidence 0.9",
        "a recall of at least 0.8",
        "alerts for at most 5 % of the rows",
    ]


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("recal_at_precision:0.8", "Did you mean 'recall_at_precision:0.8'"),
        ("mcc:0.8", "must be one of 'recall_at_precision'"),
        ("recall_at_precision", "needs a limit behind a colon"),
        ("recall_at_precision_0.9", "needs a limit behind a colon.*recall_at_precision:0.9"),
        ("recall_at_precision:", "must be a number between 0 and 1"),
        ("recall_at_precision:90", "must be a number between 0 and 1"),
        ("recall_at_precision:nan", "must be a number between 0 and 1"),
        ("recall_at_precision:0.9@", "confidence behind @ .* 0.5 and below 1"),
        ("recall_at_precision:0.9@0.2", "confidence behind @ .* 0.5 and below 1"),
        (AlertBudget(3, mode="topk"), "one threshold for all rows.*alerts="),
        (AlertBudget(3, period="day"), "one threshold for all rows"),
        (Constraint("recall_at_fpr", 7), "limit must be a number between 0 and 1"),
    ],
)
def test_what_is_no_promise_is_told(objective, words):
    with pytest.raises(InvalidParameterError, match=words):
        read_promise(objective)


def test_measures_are_no_promises():
    assert read_promise("f1") is read_promise(None) is None


def test_alerts_of_the_table_become_a_share_of_it():
    promise = read_promise(AlertBudget(24))
    assert promise.of_rows(240).limit == pytest.approx(0.1)
    assert read_promise(AlertBudget(1)).of_rows(50).limit == pytest.approx(0.02)
    assert read_promise(AlertBudget(1.0)).of_rows(50).limit == 1.0
    with pytest.raises(InvalidParameterError, match="24 of 20 rows"):
        promise.of_rows(20)


@pytest.fixture
def planned(table, small):
    """Return a function that plans a comparison with an objective."""

    def plan(objective):
        options = {"strategies": [], "learners": [], "budget_minutes": 1e-9}
        return small.run(*table, objective=objective, **options)._plan

    return plan


@pytest.mark.parametrize(
    ("objective", "kept", "best"),
    [
        ("recall_at_precision:0.6", lambda y, g: precision_score(y, g) >= 0.6, recall_score),
        ("precision_at_recall:0.7", lambda y, g: recall_score(y, g) >= 0.7, precision_score),
        (
            "recall_at_fpr:0.1",
            lambda y, g: np.mean(g[y == 0]) <= 0.1,
            recall_score,
        ),
        (AlertBudget(24), lambda y, g: np.mean(g) <= 0.1, recall_score),
    ],
)
def test_thresholds_are_the_best_that_keep_the_limit_on_inner_folds(planned, objective, kept, best):
    """Brute force over all cut-offs of the pooled inner scores of untouched rows."""
    plan = planned(objective)
    learner = LogisticRegression()
    cell = replace(plan.cells[0], estimator=learner)
    matrix = np.where(np.isnan(plan.data.matrix), 0.0, plan.data.matrix)
    data = replace(plan.data, matrix=matrix)
    row = run_cell(cell, data)
    assert row["status"] == "done", row["error"]
    X, y = matrix[cell.split.train], data.codes[cell.split.train]
    scores = np.empty(y.size)
    for train, test in inner_splits(cell.split, data):
        scores[test] = learner.fit(X[train], y[train]).predict_proba(X[test])[:, 1]
    values = []
    for cut in np.unique(scores):
        guess = (scores >= cut).astype(int)
        if kept(y, guess):
            values.append(best(y, guess))
    chosen = (scores >= row["policies"]["tuned"]["threshold"]).astype(int)
    assert kept(y, chosen)
    assert best(y, chosen) == pytest.approx(max(values))
    assert row["policies"]["tuned"]["infeasible"] == 0.0


def test_a_limit_that_cannot_be_kept_is_counted_not_shouted(planned):
    plan = planned("recall_at_precision:0.99@0.95")
    row = run_cell(plan.cells[0], plan.data)
    assert row["status"] == "done"
    assert row["policies"]["tuned"]["infeasible"] == 1.0
    assert not row["warnings"]


def test_the_rate_that_is_limited_is_measured_on_test_folds(table, small):
    found = small.run(*table, strategies=["random_under"], objective="recall_at_fpr:0.1")
    summary = found.summary
    assert summary["verdicts"][1]["metric"] == "recall"
    assert "keep a false-positive rate of at most 0.1" in found.verdict[1]
    promise = summary["promise"]
    assert [line["id"] for line in promise["entries"]] == [e["id"] for e in summary["entries"]]
    for line, entry in zip(promise["entries"], summary["entries"], strict=True):
        rates = line["attained"]["folds"]
        assert line["kept"] == sum(rate <= 0.1 for rate in rates)
        assert line["folds"] == 3
        # The share of alerts is made of those right and those wrong.
        (tuned,) = (p["metrics"] for p in entry["policies"] if p["policy"] == "tuned")
        for fold, rate in enumerate(rates):
            card = summary["folds"][fold]
            alerts = tuned["alert_rate"]["folds"][fold] * card["n_test"]
            hits = tuned["recall"]["folds"][fold] * card["positives"]
            assert rate == pytest.approx((alerts - hits) / (card["n_test"] - card["positives"]))
        assert line["attained"]["bootstrap_low"] <= line["attained"]["mean"]
    assert not summary["metrics"]["false_positive_rate"]["greater_is_better"]
    json.dumps(summary, allow_nan=False)


def test_the_false_positive_rate_is_that_of_the_confusion_matrix():
    rng = np.random.default_rng(0)
    y, guess = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    (tn, fp), _ = confusion_matrix(y, guess)
    assert false_positive_rate(y, guess) == pytest.approx(fp / (fp + tn))


def test_what_cannot_be_kept_is_one_line_on_the_page(table, small):
    objective = Constraint("recall_at_precision", 0.995, confidence=0.95, infeasible="raise")
    found = small.run(*table, strategies=["random_under"], objective=objective)
    problems = [p for p in found.summary["problems"] if "no threshold kept" in p["text"]]
    assert {p["where"] for p in problems} == {e["id"] for e in found.summary["entries"]}
    assert all((p["kind"], p["count"]) == ("warning", 3) for p in problems)
    assert all(line["infeasible"] == 3 for line in found.summary["promise"]["entries"])
    assert "On 3 of its training sides no threshold kept it" in render_text(found.summary, 1000)
    assert "Was the promise kept?" in render_html(found.summary)


def test_a_run_with_another_promise_is_another_run(planned):
    prints = {
        planned(each).fingerprint
        for each in (
            "recall",
            "recall_at_precision:0.6",
            "recall_at_precision:0.7",
            "recall_at_precision:0.7@0.9",
            AlertBudget(24),
        )
    }
    assert len(prints) == 5
    assert planned("recall_at_precision:0.6").fingerprint in prints


@pytest.fixture
def promised(made):
    """A made summary with a promise that the recommended entry breaks."""
    summary = made.binary_summary()
    card = read_promise("recall_at_precision:0.8").card
    for entry in summary["entries"]:
        attained = entry["policies"][1]["metrics"]["precision"]
        mean = attained["mean"]
        if mean is not None:
            attained["mean"] = 0.7 if entry["id"] == summary["recommended"] else 0.85
        known = [value for value in attained["folds"] if value is not None]
        card["entries"].append(
            {
                "id": entry["id"],
                "attained": attained,
                "kept": sum(value >= 0.8 for value in known),
                "folds": len(known),
                "infeasible": 0,
            }
        )
    summary["promise"] = card
    baseline = summary["entries"][0]["id"]
    card["sentence"] = describe_promise(card, summary["recommended"], baseline)
    return summary


def test_a_broken_promise_is_said(promised):
    assert breaks_promise(promised["promise"], promised["recommended"])
    assert not breaks_promise(promised["promise"], promised["entries"][0]["id"])
    assert not breaks_promise(None, promised["recommended"])
    sentence = promised["promise"]["sentence"]
    assert "a promise broken on average" in sentence
    assert "and the baseline kept it in" in sentence
    page = page_of(promised)
    assert page.savings[0] == ("Promise", sentence)
    lines = promise_of(promised, {}).lines
    assert len(lines) == len(promised["entries"])
    assert lines[0].kept.endswith("of 10")
    assert [line.tags for line in lines].count(("recommended",)) == 1
    promised["recommended"] = promised["entries"][0]["id"]
    assert page_of(promised).advice[2] == "It is the baseline; what beat it broke the promise."


def test_pages_without_a_promise_say_nothing_of_one(made):
    assert page_of(made.binary_summary()).promise is None
    assert "promise" not in render_html(made.binary_summary()).lower()


def test_a_budget_can_be_written_as_an_objective():
    share, count = read_promise("recall_at_budget:0.02"), read_promise("recall_at_budget:50")
    assert (share.rule.budget, count.rule.budget) == (0.02, 50)
    assert share.limited == "alert_rate"
    with pytest.raises(InvalidParameterError, match="budget must be"):
        read_promise("recall_at_budget:none")
