"""From rows to the summary: means, ties, order, cautions and problems."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from imbkit.bench._plan_card import plan_card
from imbkit.bench._promise import read_promise
from imbkit.bench._rows import new_row
from imbkit.bench._summary import summarise

BASE = "none/hist_gradient_boosting"


@pytest.fixture(scope="module")
def found(small):
    X, y = small.small_table()
    return small.run(X, y, cv=(5, 1))


@pytest.fixture
def rows(found):
    """Copies of the rows, to be changed."""
    return json.loads(json.dumps(found.rows()))


@pytest.fixture
def plan(found):
    return found._plan


def summary_of(plan, rows, seconds=1.0):
    card = plan_card(plan, name="t", dropped=[], command="")
    return summarise(card, rows, wall_seconds=seconds)


def put(rows, values):
    """Write values of average precision, Brier score and MCC by entry and fold."""
    for row in rows:
        value = values[f"{row['strategy']}/{row['learner']}"][row["fold"]]
        row["scores"]["average_precision"] = value
        row["scores"]["brier"] = value
        row["policies"]["tuned"]["mcc"] = value


def entry(summary, name):
    return next(e for e in summary["entries"] if e["id"] == name)


NOISE = np.array([0.01, -0.02, 0.015, -0.01, 0.005])
LEVELS = {
    BASE: 0.5 + NOISE,
    "random_under/logistic": 0.9 + NOISE[::-1],
    "smote/logistic": 0.9 + 0.003 + 3 * NOISE,
}


def test_ready_for_json(found):
    assert json.loads(json.dumps(found.summary, allow_nan=False)) == found.summary


def test_mean_and_interval_are_the_corrected_t(plan, rows):
    put(rows, LEVELS)
    estimate = entry(summary_of(plan, rows), BASE)["scores"]["average_precision"]
    values = LEVELS[BASE]
    ratio = np.mean([split.test.size / split.train.size for split in plan.splits])
    reach = stats.t.ppf(0.975, 4) * np.sqrt(values.var(ddof=1) * (1 / 5 + ratio))
    assert estimate["folds"] == pytest.approx(values.tolist())
    assert (estimate["mean"], estimate["low"], estimate["high"]) == pytest.approx(
        (values.mean(), values.mean() - reach, values.mean() + reach)
    )


def test_intervals_end_at_the_range_of_the_metric(plan, rows):
    wide = {name: np.array([0.0, 1.0, 0.0, 1.0, 0.5]) for name in LEVELS}
    put(rows, wide)
    estimate = entry(summary_of(plan, rows), BASE)["scores"]["average_precision"]
    assert (estimate["low"], estimate["high"]) == (0, 1)


def test_a_fold_without_a_value_is_left_out(plan, rows):
    put(rows, LEVELS)
    rows[0]["scores"]["average_precision"] = None
    name = f"{rows[0]['strategy']}/{rows[0]['learner']}"
    estimate = entry(summary_of(plan, rows), name)["scores"]["average_precision"]
    assert estimate["folds"][0] is None
    assert estimate["mean"] == pytest.approx(LEVELS[name][1:].mean())


def test_ties_and_order(plan, rows):
    put(rows, LEVELS)
    summary = summary_of(plan, rows)
    ids = [e["id"] for e in summary["entries"]]
    assert ids == [BASE, "smote/logistic", "random_under/logistic"]
    tied = {e["id"]: e["scores"]["average_precision"]["tied_with_best"] for e in summary["entries"]}
    assert tied == {BASE: False, "smote/logistic": True, "random_under/logistic": True}
    # Less is better for the Brier score, so the same numbers make the baseline the best.
    tied = {e["id"]: e["scores"]["brier"]["tied_with_best"] for e in summary["entries"]}
    assert tied == {BASE: True, "smote/logistic": False, "random_under/logistic": False}
    tuned = entry(summary, "smote/logistic")["policies"][1]
    assert (tuned["policy"], tuned["metrics"]["mcc"]["tied_with_best"]) == ("tuned", True)


def test_the_recommended_entry_decides_better(plan, rows):
    put(rows, LEVELS)
    summary = summary_of(plan, rows)
    assert [verdict["outcome"] for verdict in summary["verdicts"]] == ["beaten", "beaten"]
    assert summary["recommended"] == summary["verdicts"][1]["best"]
    put(rows, dict.fromkeys(LEVELS, LEVELS[BASE]))
    assert summary_of(plan, rows)["recommended"] == BASE


def test_decisions_outrank_ranking(plan, rows):
    put(rows, LEVELS)
    for row in rows:
        if row["strategy"] == "random_under":
            row["policies"]["tuned"]["mcc"] += 0.05
    summary = summary_of(plan, rows)
    assert [v["best"] for v in summary["verdicts"]] == ["smote/logistic", "random_under/logistic"]
    assert summary["recommended"] == "random_under/logistic"


def test_a_better_ranking_with_worse_decisions_is_not_recommended(plan, rows):
    put(rows, LEVELS)
    for row in rows:
        if row["strategy"] == "smote":
            row["policies"]["tuned"]["mcc"] = LEVELS[BASE][row["fold"]] - 0.2
        if row["strategy"] == "random_under":
            row["policies"]["tuned"]["mcc"] = LEVELS[BASE][row["fold"]]
    summary = summary_of(plan, rows)
    assert summary["verdicts"][0]["best"] == "smote/logistic"
    assert [v["outcome"] for v in summary["verdicts"]] == ["beaten", "not beaten"]
    assert summary["recommended"] == BASE
    for row in rows:
        if row["strategy"] == "smote":
            row["policies"]["tuned"]["mcc"] += 0.2
    assert summary_of(plan, rows)["recommended"] == "smote/logistic"


def test_only_timing_varies(plan, rows):
    first, second = summary_of(plan, rows, 1.0), summary_of(plan, rows, 2.0)
    for row in rows:
        row["fit_seconds"] += 1
    third = summary_of(plan, rows[::-1], 3.0)
    assert first.pop("timing") != second.pop("timing") != third.pop("timing")
    assert first == second == third


def test_timing_is_the_median_of_the_finished_cells(plan, rows):
    for row in rows:
        row["fit_seconds"] = float(row["fold"] ** 2)
        if row["fold"] == 4:
            row["status"] = "failed"
    costs = summary_of(plan, rows)["timing"]["entries"][BASE]
    assert costs["fit_seconds"] == 2.5


def test_problems_are_counted(plan, rows):
    kept = []
    for row in rows:
        if row["learner"] == "logistic" and row["strategy"] == "smote":
            if row["fold"] < 2:
                continue
            split = plan.splits[row["fold"]]
            error = "ValueError: no" if row["fold"] < 4 else "KeyError: else"
            row = new_row("smote", "logistic", split) | {"status": "failed", "error": error}
        if row["strategy"] == "random_under":
            row["warnings"] = {"UserWarning: hm": 2}
        kept.append(row)
    summary = summary_of(plan, kept)
    problems = [(p["kind"], p["where"], p["text"], p["count"]) for p in summary["problems"]]
    late = "the time budget was spent before these cells could start"
    assert sorted(problems) == [
        ("failed", "smote/logistic", "KeyError: else", 1),
        ("failed", "smote/logistic", "ValueError: no", 2),
        ("not run", "smote/logistic", late, 2),
        ("warning", "random_under/logistic", "UserWarning: hm", 10),
    ]
    smote = entry(summary, "smote/logistic")
    assert (smote["done"], smote["failed"], smote["missing"]) == (0, 3, 2)
    assert smote["scores"] == {}
    assert summary["entries"][-1] is smote
    json.dumps(summary, allow_nan=False)


def test_nothing_was_run(plan):
    summary = summary_of(plan, [])
    assert [e["missing"] for e in summary["entries"]] == [5, 5, 5]
    assert [verdict["outcome"] for verdict in summary["verdicts"]] == ["undecided"] * 2
    assert [v["sentence"].partition(" nothing")[0] for v in summary["verdicts"]] == [
        "By average precision,",
        "For decisions, by MCC,",
    ]
    assert summary["recommended"] == BASE
    assert summary["timing"]["entries"] == {}
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(("n_positive", "cv", "expected"), [(49, 5, 1), (50, 5, 0), (50, 4, 1)])
def test_cautions(small, n_positive, cv, expected):
    X, y = small.small_table(n_positive=n_positive)
    options = {"strategies": [], "learners": [], "budget_minutes": 1e-9}
    cautions = small.run(X, y, cv=(cv, 1), **options).summary["cautions"]
    assert len(cautions) == expected
    if n_positive == 49:
        assert cautions[0].startswith("There are only 49 positive rows")
    elif expected:
        assert cautions[0].startswith("Only 4 test folds were used")


def test_recalls_are_of_the_class_named(plan, rows):
    for row in rows:
        row["recalls"] = {"default": {"0": 0.5, "1": 0.5}, "tuned": {"0": 0.25, "1": 0.75}}
    recalls = entry(summary_of(plan, rows), BASE)["recalls"]
    assert {label: e["mean"] for label, e in recalls.items()} == {"0": 0.25, "1": 0.75}


def test_labels_that_joined_look_alike_are_kept_apart(small):
    X, _ = small.small_table()
    y = np.random.default_rng(0).choice(["a", "b", "a, b"], 240)
    found = small.run(X, y, positive=["a", "b"], strategies=[], learners=[], budget_minutes=1e-9)
    assert len(found.summary["entries"][0]["recalls"]) == 2


def test_a_challenger_beyond_noise_is_not_hidden_by_a_noisier_one(plan, rows):
    """The larger lead is within noise, the smaller one is not; the verdict is of the second."""
    steady = LEVELS[BASE] + 0.05 + 0.1 * NOISE
    noisy = LEVELS[BASE] + 0.1 + 20 * NOISE
    put(rows, {BASE: LEVELS[BASE], "random_under/logistic": steady, "smote/logistic": noisy})
    verdict = summary_of(plan, rows)["verdicts"][0]
    assert (verdict["best"], verdict["outcome"]) == ("random_under/logistic", "beaten")
    assert verdict["difference"] == pytest.approx(0.05)


def test_bootstrap_intervals_shrink_to_the_mean_without_error(plan, rows):
    put(rows, LEVELS)
    for row in rows:
        row["errors"]["average_precision"] = 0.0
    estimate = entry(summary_of(plan, rows), BASE)["scores"]["average_precision"]
    assert estimate["bootstrap_low"] == pytest.approx(estimate["mean"])
    assert estimate["bootstrap_high"] == pytest.approx(estimate["mean"])


def test_bootstrap_intervals_are_those_of_a_mean_of_independent_folds(plan, rows):
    """Far from the ends of the range: 1.96 times the error of a mean of five."""
    put(rows, dict.fromkeys(LEVELS, 0.5 + NOISE))
    for row in rows:
        row["errors"]["average_precision"] = 0.01
    estimate = entry(summary_of(plan, rows), BASE)["scores"]["average_precision"]
    reach = 1.96 * 0.01 / np.sqrt(5)
    assert estimate["bootstrap_low"] == pytest.approx(0.5 + NOISE.mean() - reach, abs=1e-4)
    assert estimate["bootstrap_high"] == pytest.approx(0.5 + NOISE.mean() + reach, abs=1e-4)
    for row in rows:
        row["errors"]["average_precision"] = None
    estimate = entry(summary_of(plan, rows), BASE)["scores"]["average_precision"]
    assert (estimate["bootstrap_low"], estimate["bootstrap_high"]) == (None, None)


def test_pairs_are_sorted_best_first_and_add_up(plan, rows):
    put(rows, LEVELS)
    for matrix in summary_of(plan, rows)["pairs"]:
        assert matrix["entries"] == ["smote/logistic", "random_under/logistic", BASE]
        better = matrix["better"]
        assert [better[k][k] for k in range(3)] == [None] * 3
        for i in range(3):
            for j in range(i):
                # What is missing to one is the chance that the two are as good as equal.
                assert 0 <= better[i][j] + better[j][i] <= 1 + 1e-9
        assert better[0][2] > 0.99 > 0.01 > better[2][0]


def test_pairs_turn_round_where_less_is_better(small):
    X, y = small.small_table()
    found = small.run(X, y, metric="brier", cv=(5, 1))
    rows = json.loads(json.dumps(found.rows()))
    put(rows, LEVELS)
    matrix = summary_of(found._plan, rows)["pairs"][0]
    assert matrix["metric"] == "brier"
    assert matrix["entries"][0] == BASE
    assert matrix["better"][0][1] > 0.99


def test_optimism_is_of_the_baseline_on_the_ranking_metric(small):
    X, y = small.small_table()
    found = small.run(X, y, time=np.arange(240), metric="roc_auc", strategies=["none"])
    rows = json.loads(json.dumps(found.rows()))
    for row in rows:
        row["scores"]["roc_auc"] = 0.9 if row["part"] == "random" else 0.6
        if row["learner"] == "logistic":
            row["scores"]["roc_auc"] = 0.1
    optimism = summary_of(found._plan, rows)["optimism"]
    assert optimism == {
        "entry": BASE,
        "metric": "roc_auc",
        "time_mean": pytest.approx(0.6),
        "random_mean": pytest.approx(0.9),
    }
    main = [row for row in rows if row["part"] == "main"]
    assert summary_of(found._plan, main)["optimism"]["random_mean"] is None


def test_what_beats_the_baseline_by_breaking_the_promise_is_not_recommended(plan, rows):
    """Where the baseline breaks it, too, the better one is."""
    promise = read_promise("recall_at_precision:0.8")
    promised = replace(plan, promise=promise, decision_metric="recall")
    for broken, recommended in (
        ({"smote/logistic"}, BASE),
        ({"smote/logistic", BASE}, "smote/logistic"),
        (set(), "smote/logistic"),
    ):
        put(rows, dict.fromkeys(LEVELS, 0.5 + NOISE))
        for row in rows:
            name = f"{row['strategy']}/{row['learner']}"
            row["policies"]["tuned"] |= {
                "recall": 0.9 + NOISE[row["fold"]] if name == "smote/logistic" else 0.5,
                "precision": 0.7 if name in broken else 0.85,
                "infeasible": 0.0,
            }
        summary = summary_of(promised, rows)
        assert summary["verdicts"][1]["outcome"] == "beaten"
        assert summary["recommended"] == recommended
        kept = {line["id"]: line["kept"] for line in summary["promise"]["entries"]}
        assert all(kept[name] == (0 if name in broken else 5) for name in kept)
