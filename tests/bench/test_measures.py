"""Measures of a test fold against scikit-learn and imbalanced-learn."""

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from sklearn import metrics as sk

from imbkit.bench._measures import (
    DECISIONS,
    RANKINGS,
    Measure,
    decision_values,
    find_measure,
    measure_cards,
    ranking_values,
)
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, f1_score, get_metric

AP = RANKINGS["average_precision"]


def binary(seed=0, n=300):
    rng = np.random.default_rng(seed)
    codes = (rng.random(n) < 0.2).astype(int)
    # Rounded, so that scores tie across the classes.
    return codes, np.clip(0.3 * codes + 0.7 * rng.random(n), 0, 1).round(2)


def many(seed=0, n=300):
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    scores = rng.random((n, 3)) + 0.5 * np.eye(3)[codes]
    return codes, scores / scores.sum(axis=1, keepdims=True)


def recall_at_fpr(codes, scores, limit):
    rates = [
        (np.mean(scores[codes == 0] >= cut), np.mean(scores[codes == 1] >= cut))
        for cut in np.append(np.unique(scores), np.inf)
    ]
    return max(recall for fpr, recall in rates if fpr <= limit)


def test_ranking_of_two_classes():
    codes, scores = binary()
    values = ranking_values(codes, scores, AP, probabilities=True)
    assert values == pytest.approx(
        {
            "average_precision": sk.average_precision_score(codes, scores),
            "roc_auc": sk.roc_auc_score(codes, scores),
            "brier": sk.brier_score_loss(codes, scores),
            "log_loss": sk.log_loss(codes, scores),
            "recall_at_fpr_0.01": recall_at_fpr(codes, scores, 0.01),
            "recall_at_fpr_0.001": recall_at_fpr(codes, scores, 0.001),
        }
    )


def test_ranking_of_many_classes():
    codes, scores = many()
    values = ranking_values(codes, scores, AP, probabilities=True)
    one_hot = np.eye(3)[codes]
    assert values == pytest.approx(
        {
            "average_precision": sk.average_precision_score(one_hot, scores, average="macro"),
            "roc_auc": sk.roc_auc_score(codes, scores, multi_class="ovr", average="macro"),
            "brier": ((one_hot - scores) ** 2).sum(axis=1).mean(),
            "log_loss": sk.log_loss(codes, scores),
        }
    )


def test_scores_that_are_no_probabilities():
    codes, scores = binary()
    values = ranking_values(codes, 9 * scores - 3, AP, probabilities=False)
    assert values["brier"] is values["log_loss"] is None
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(codes, scores))


@pytest.mark.parametrize("data", [binary, many])
def test_ranks_are_undefined_where_a_class_is_absent(data):
    codes, scores = data()
    rows = codes != codes.max()
    values = ranking_values(codes[rows], scores[rows], AP, probabilities=True)
    undefined = {name for name, value in values.items() if value is None}
    assert undefined == set(values) - {"brier", "log_loss"}


def test_single_precision():
    codes, scores = binary()
    values = ranking_values(codes, scores.astype(np.float32), AP, probabilities=True)
    assert values == pytest.approx(ranking_values(codes, scores, AP, probabilities=True), rel=1e-5)
    assert {type(value) for value in values.values()} == {float}


def test_decisions_of_two_classes():
    codes, scores = binary()
    guess = (scores >= 0.5).astype(int)
    values = decision_values(codes, guess, f1_score, 2)
    assert values == pytest.approx(
        {
            "mcc": sk.matthews_corrcoef(codes, guess),
            "recall": sk.recall_score(codes, guess),
            "precision": sk.precision_score(codes, guess),
            "f1": sk.f1_score(codes, guess),
            "gmean": geometric_mean_score(codes, guess),
            "balanced_accuracy": sk.balanced_accuracy_score(codes, guess),
            "alert_rate": guess.mean(),
        }
    )


def test_decisions_of_many_classes():
    codes, scores = many()
    guess = scores.argmax(axis=1)
    values = decision_values(codes, guess, f1_score, 3)
    assert values == pytest.approx(
        {
            "mcc": sk.matthews_corrcoef(codes, guess),
            "recall": sk.recall_score(codes, guess, average="macro"),
            "precision": sk.precision_score(codes, guess, average="macro"),
            "f1": sk.f1_score(codes, guess, average="macro"),
            "gmean": geometric_mean_score(codes, guess),
            "balanced_accuracy": sk.balanced_accuracy_score(codes, guess),
        }
    )


@pytest.mark.parametrize("guess", [0, 1])
def test_decisions_that_never_differ_are_numbers(guess):
    codes, _ = binary()
    values = decision_values(codes, np.full(codes.size, guess), f1_score, 2)
    assert np.isfinite(list(values.values())).all()
    assert values["alert_rate"] == guess


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("recall_at_fpr_0.05", "Recall at 5 % FPR"),
        ("recall_at_fpr_0.01", "Recall at 1 % FPR"),
        ("recall_at_precision_0.9", "Recall at 90 % precision"),
    ],
)
def test_numbers_in_names(name, title):
    measure = find_measure(name)
    assert isinstance(measure, Measure)
    assert (measure.card["name"], measure.card["title"]) == (name, title)
    assert not measure.multiclass


def test_a_parsed_measure_uses_its_number():
    codes, scores = binary()
    values = ranking_values(codes, scores, find_measure("recall_at_fpr_0.2"), probabilities=True)
    assert values["recall_at_fpr_0.2"] == pytest.approx(recall_at_fpr(codes, scores, 0.2))
    assert values["recall_at_fpr_0.2"] > values["recall_at_fpr_0.01"]


@pytest.mark.parametrize("metric", ["f1", f1_score, sk.f1_score])
def test_count_metrics_are_found_too(metric):
    assert find_measure(metric) is f1_score
    assert isinstance(find_measure("gmean"), CountMetric)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("average_precison", "Did you mean 'average_precision'"),
        ("zzzzzz", "Known are average_precision, roc_auc"),
        (5, "ranking measure or a count metric. Got 5"),
        ("recall_at_fpr_", "between 0 and 1"),
        ("recall_at_fpr_x", "between 0 and 1"),
        ("recall_at_fpr_nan", "between 0 and 1"),
        ("recall_at_precision_1", "between 0 and 1. .*For example recall_at_precision_0.01"),
    ],
)
def test_unknown_measures(name, words):
    with pytest.raises(InvalidParameterError, match=words):
        find_measure(name)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("objective", ["mcc", "accuracy"])
def test_every_value_has_a_card(kind, objective):
    asked, metric = find_measure("roc_auc"), get_metric(objective)
    cards = measure_cards(kind, asked, metric)
    codes, scores = binary() if kind == "binary" else many()
    guess = (scores >= 0.5).astype(int) if kind == "binary" else scores.argmax(axis=1)
    values = ranking_values(codes, scores, asked, probabilities=True)
    values |= decision_values(codes, guess, metric, 2 if kind == "binary" else 3)
    assert set(values) == set(cards)
    for name, value in values.items():
        card = cards[name]
        assert card["name"] == name
        assert card["low"] is None or card["low"] <= value
        assert card["high"] is None or value <= card["high"]


def test_smaller_is_better_for_losses_alone():
    cards = [measure.card for measure in RANKINGS.values()] + list(DECISIONS.values())
    assert {c["name"] for c in cards if not c["greater_is_better"]} == {"brier", "log_loss"}


def test_the_range_of_the_brier_score_is_attained():
    """Certain and wrong: the worst there is."""
    codes, wrong = np.array([0, 1, 2, 0]), np.eye(3)[[1, 2, 0, 2]]
    for kind, scores in (("binary", 1.0 - codes.clip(0, 1)), ("multiclass", wrong)):
        y = codes.clip(0, 1) if kind == "binary" else codes
        worst = ranking_values(y, scores, AP, probabilities=True)["brier"]
        assert worst == measure_cards(kind, AP, get_metric("mcc"))["brier"]["high"]


def test_cards_of_money_and_groups_come_where_there_are_such():
    asked, metric = AP, get_metric("mcc")
    plain = measure_cards("binary", asked, metric)
    money = measure_cards("binary", asked, metric, costs=True, gains=True)
    groups = measure_cards("binary", asked, metric, entities=True)
    assert set(money) - set(plain) == {"cost_per_1000", "saved_per_1000", "captured_amount"}
    assert set(groups) - set(plain) == {"entity_precision"}
    assert set(plain) < set(money)
    assert not money["cost_per_1000"]["greater_is_better"]
    assert money["saved_per_1000"]["greater_is_better"]
    # What an alert brings may exceed what it costs, so neither amount has a range.
    assert {money[name]["low"] for name in ("cost_per_1000", "saved_per_1000")} == {None}
    no_gains = measure_cards("binary", asked, metric, costs=True)
    assert (no_gains["cost_per_1000"]["low"], no_gains["saved_per_1000"]["low"]) == (0.0, None)
    assert all(card["name"] == name for name, card in (money | groups).items())


@pytest.mark.parametrize("code", [0, 1])
def test_measures_of_two_classes_are_undefined_where_one_is_absent(code):
    codes, predicted = np.full(10, code), np.arange(10) % 2
    values = decision_values(codes, predicted, get_metric("informedness"), 2)
    assert {name for name, value in values.items() if value is not None} == {
        "precision",
        "alert_rate",
    }
    assert (values["precision"], values["alert_rate"]) == (code, 0.5)
