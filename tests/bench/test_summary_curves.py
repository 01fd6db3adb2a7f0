"""Curves over the folds, and what rates mean among other shares of positives."""

import numpy as np
import pytest

from imbkit.bench._plan_card import plan_card
from imbkit.bench._summary_curves import base_rates, calibration_card, entry_curves

AMOUNT = np.random.default_rng(0).lognormal(size=240)


@pytest.fixture(scope="module")
def found(small):
    X, y = small.small_table()
    return small.run(
        X,
        y,
        strategies=["none", "class_weight", "smote"],
        costs={"fn_cost": AMOUNT, "fp_cost": 0.5},
        prevalence=0.01,
        cv=(3, 2),
    )


@pytest.fixture(scope="module")
def card(found):
    return plan_card(found._plan, name="t", dropped=[], command="")


def curves(card, found, entry):
    rows = [r for r in found.rows() if f"{r['strategy']}/{r['learner']}" == entry]
    return rows, entry_curves(card, entry, rows)


def test_curves_are_of_the_baseline_and_the_best(found):
    shown = [each["id"] for each in found.summary["curves"]]
    best = {verdict["best"] for verdict in found.summary["verdicts"]}
    assert shown[0] == found.summary["entries"][0]["id"]
    assert set(shown) == {shown[0], found.summary["recommended"], *best}


def test_thresholds_are_those_of_the_folds(card, found):
    rows, found_curves = curves(card, found, "none/logistic")
    assert found_curves["thresholds"] == [row["policies"]["tuned"]["threshold"] for row in rows]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("none/logistic", "sigmoid"),
        ("class_weight/logistic", "sigmoid"),
        ("smote/logistic", "sigmoid"),
    ],
)
def test_repairs_are_said(card, found, entry, kind):
    rows, found_curves = curves(card, found, entry)
    assert {row["repair"] for row in rows} == {kind}
    assert sum(each["rows"] for each in found_curves["repaired"]) == 480
    (entry_card,) = (e["calibration"] for e in found.summary["entries"] if e["id"] == entry)
    assert entry_card["repairs"] == [kind]
    for side in ("before", "after"):
        for name, value in entry_card[side].items():
            expected = np.mean([row["calibration"][side][name] for row in rows])
            assert value == pytest.approx(expected)
    scores = [row["scores"]["brier"] for row in rows]
    assert entry_card["before"]["brier"] == pytest.approx(np.mean(scores))
    assert entry_card["before"]["share"] == entry_card["after"]["share"] == pytest.approx(0.15)


def test_nothing_is_said_where_nothing_was_repaired(card, found):
    rows, _ = curves(card, found, "none/logistic")
    plain = [row | {"repair": "none", "repaired": []} for row in rows]
    assert entry_curves(card, "none/logistic", plain)["repaired"] == []
    same = calibration_card(plain)
    assert (same["after"], same["repairs"]) == (None, [])
    assert same["before"] == calibration_card(rows)["before"]
    assert calibration_card([row | {"calibration": {}} for row in rows]) is None
    assert calibration_card([None]) is None


def test_repair_mends_the_brier_score_that_class_weights_spoil(card, found):
    rows, _ = curves(card, found, "class_weight/logistic")
    errors = calibration_card(rows)
    for name in ("brier", "log_loss", "calibration_error", "brier_negative"):
        assert errors["after"][name] < errors["before"][name]
    # What is taken from the negatives is the positives' to pay.
    assert errors["after"]["brier_positive"] > errors["before"]["brier_positive"]
    assert abs(errors["after"]["mean"] - 0.15) < 0.05 < abs(errors["before"]["mean"] - 0.15)


def test_every_row_is_in_the_reliability_counts_once_a_repeat(card, found):
    _, found_curves = curves(card, found, "none/logistic")
    assert sum(each["rows"] for each in found_curves["reliability"]) == 480


def test_no_row_no_curve(card):
    empty = entry_curves(card, "none/logistic", [None, None])
    assert empty["thresholds"] == empty["reliability"] == empty["repaired"] == []


def test_base_rates_are_those_of_the_counts(found):
    """Recall and false alarms add up to the rows that were flagged."""
    rates, summary = found.summary["base_rates"], found.summary
    entry = next(e for e in summary["entries"] if e["id"] == summary["recommended"])
    metrics = next(p for p in entry["policies"] if p["policy"] == "tuned")["metrics"]
    assert (rates["entry"], rates["policy"]) == (summary["recommended"], "tuned")
    share = 36 / 240
    assert rates["recall"] == metrics["recall"]["mean"]
    flagged = share * rates["recall"] + (1 - share) * rates["false_positive_rate"]
    assert flagged == pytest.approx(metrics["alert_rate"]["mean"])
    lines = {line["kind"]: line for line in rates["lines"]}
    assert lines["table"]["prevalence"] == share
    assert lines["asked"]["prevalence"] == 0.01
    assert [line["prevalence"] for line in rates["lines"]] == sorted(
        (line["prevalence"] for line in rates["lines"]), reverse=True
    )
    asked = lines["asked"]
    assert asked["true_alerts"] == pytest.approx(1e6 * 0.01 * rates["recall"])
    assert asked["false_alerts"] == pytest.approx(1e6 * 0.99 * rates["false_positive_rate"])
    assert asked["precision"] == pytest.approx(
        asked["true_alerts"] / (asked["true_alerts"] + asked["false_alerts"])
    )
    assert (rates["rows"], rates["per_day"]) == (1e6, False)


def test_base_rates_a_day_where_days_are_known(table, run):
    days = np.datetime64("2024-01-01") + np.arange(240) // 6
    rates = run(*table, time=days, strategies=[], learners=[]).summary["base_rates"]
    assert (rates["rows"], rates["per_day"]) == (6, True)


def test_no_base_rates_without_rows(card, found):
    missing = [
        dict(e, policies=[dict(p, metrics={}) for p in e["policies"]])
        for e in found.summary["entries"]
    ]
    assert base_rates(card, missing, "none/logistic", []) is None


def test_what_decisions_cost_among_other_shares_is_reweighted(found, table):
    """Rows of each class, as often as their share says, cost what the line says."""
    rates, plan = found.summary["base_rates"], found._plan
    own = [row for row in found.rows() if f"{row['strategy']}/{row['learner']}" == rates["entry"]]
    pairs = [row["class_costs"]["tuned"] for row in own]
    negative, positive = np.mean(pairs, axis=0)
    for line in rates["lines"]:
        share = line["prevalence"]
        expected = 1000 * (share * positive + (1 - share) * negative)
        assert line["cost_per_1000"] == pytest.approx(expected)
        alerts = share * rates["recall"] + (1 - share) * rates["false_positive_rate"]
        assert line["alerts_per_1000"] == pytest.approx(1000 * alerts)
    at_table = next(line for line in rates["lines"] if line["kind"] == "table")
    measured = [row["policies"]["tuned"]["cost_per_1000"] for row in own]
    # Every fold has the table's share of positives.
    assert at_table["cost_per_1000"] == pytest.approx(np.mean(measured))
    shares = [line["prevalence"] / 0.15 for line in rates["lines"] if line["kind"] == "other"]
    assert shares == pytest.approx([3.0, 0.3, 0.1])
    assert plan.prevalence == 0.01


def test_the_right_threshold_moves_with_the_odds(run, table):
    """Rows of probability p of the table have the odds of the new share there."""
    cases = (
        ({"costs": {"fn_cost": 4, "fp_cost": 1}}, "cost"),
        ({}, "tuned"),
        ({"alerts": 20}, "none"),
    )
    for options, basis in cases:
        found = run(*table, strategies=[], learners=[], **options)
        rates = found.summary["base_rates"]
        assert rates["threshold"] == basis
        if basis == "none":
            assert {line["threshold"] for line in rates["lines"]} == {None}
            continue
        start = 1 / 5
        if basis == "tuned":
            start = np.median([row["policies"]["tuned"]["threshold"] for row in found.rows()])
        for line in rates["lines"]:
            share = line["prevalence"]
            # What the threshold on the table's probabilities is on those of the new share.
            p = line["threshold"]
            positive, other = p * share / 0.15, (1 - p) * (1 - share) / 0.85
            assert positive / (positive + other) == pytest.approx(start)
            assert (line["cost_per_1000"] is None) == (basis == "tuned")


def test_base_rates_where_the_share_of_positives_falls(run):
    """False alarms are counted among the negatives of each fold, not of the table."""
    rng = np.random.default_rng(0)
    y = (rng.random(600) < np.linspace(0.6, 0.05, 600)).astype(int)
    X = rng.normal(size=(600, 2)) + y[:, None]
    found = run(X, y, time=np.arange(600), strategies=[], learners=[])
    rates = []
    for row, split in zip(found.rows(), found._plan.splits, strict=False):
        metrics, positives = row["policies"]["tuned"], y[split.test].sum()
        flagged = metrics["alert_rate"] * split.test.size - metrics["recall"] * positives
        rates.append(flagged / (split.test.size - positives))
    assert found.summary["base_rates"]["false_positive_rate"] == pytest.approx(np.mean(rates))
