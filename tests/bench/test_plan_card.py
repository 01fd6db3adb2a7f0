"""What is written down of a plan, so that its rows can be summarised without it."""

import json

import numpy as np
import pytest

from imbkit.bench._options import Options
from imbkit.bench._plan import make_plan
from imbkit.bench._plan_card import plan_card
from imbkit.metrics import expected_cost

DAYS = np.datetime64("2024-01-01") + np.arange(240) // 6


def card_of(table, **options):
    X, y = table
    base = {"cv": (3, 1), "strategies": ["none"], "learners": ["logistic"]}
    plan = make_plan(X, y, Options(**(base | options)).checked(), "sick")
    return plan, plan_card(plan, name="t.csv", dropped=["id"], command="imbkit compare t.csv")


def test_words_and_numbers_only(table):
    costs = {"fn_cost": "a2", "fp_cost": 1}
    X, y = table[0].assign(a2=table[0]["a"] ** 2 + 1), table[1]
    _, card = card_of((X, y), time=DAYS, costs=costs, alerts_per_day=2, prevalence=0.01)
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_a_plain_comparison(table):
    plan, card = card_of(table)
    assert card["policies"] == ["default", "tuned"]
    assert card["command"] == "imbkit compare t.csv"
    assert card["task"]["target"] == "sick"
    assert card["data"]["dropped"] == ["id"]
    assert [entry["id"] for entry in card["entries"]] == [entry.name for entry in plan.entries]
    assert card["test_to_train"] == pytest.approx(0.5)
    assert (card["money"], card["budget"], card["prevalence"], card["rows_a_day"]) == (None,) * 4
    assert (card["beside"], card["task"]["weight"]) == ([], "")
    folds = card["folds"]
    assert sum(fold["positives"] for fold in folds) == 36
    assert {(fold["start"], fold["end"]) for fold in folds} == {("", "")}


def test_folds_in_time_say_when_they_are(table):
    plan, card = card_of(table, time=DAYS)
    for fold, split in zip(card["folds"], plan.splits, strict=True):
        assert (fold["start"], fold["end"]) == (
            str(DAYS[split.test].min()),
            str(DAYS[split.test].max()),
        )
        assert fold["positives"] == table[1][split.test].sum()
    assert card["beside"] == [0, 1, 2]
    assert card["rows_a_day"] == 6
    assert any("later than all it trained on" in text for text in card["cautions"])
    assert card_of(table, time=np.arange(240))[1]["rows_a_day"] is None


def test_money_is_that_of_the_public_metric(table):
    y = table[1]
    amount = np.random.default_rng(0).lognormal(size=240)
    _, card = card_of(table, costs={"fn_cost": amount, "fp_cost": 2, "tp_gain": 0.5})
    money = card["money"]
    cost = {"fp": 2, "fn": amount, "tp": -0.5}
    assert money["nothing"] == pytest.approx(1000 * expected_cost(y, 0 * y, **cost))
    assert money["everything"] == pytest.approx(1000 * expected_cost(y, 0 * y + 1, **cost))
    assert (money["constant"], money["cut"]) == (False, None)
    assert (money["fp_cost"], money["tp_gain"]) == ("2", "0.5")
    assert card["policies"] == ["default", "tuned", "expected_loss"]
    assert {"cost_per_1000", "saved_per_1000", "captured_amount"} <= set(card["metrics"])
    constant = card_of(table, costs={"fn_cost": 9, "fp_cost": 1})[1]["money"]
    assert (constant["constant"], constant["cut"]) == (True, pytest.approx(0.1))


def test_budgets(table):
    budget = card_of(table, alerts=24)[1]["budget"]
    assert budget == {"alerts": 24, "per_day": False, "share": 0.1, "entity": ""}
    options = {"time": DAYS, "alerts_per_day": 1, "groups": np.arange(240) % 60}
    _, card = card_of(table, **options)
    assert card["budget"]["per_day"]
    assert card["budget"]["share"] == pytest.approx(1 / 6)
    assert card["budget"]["entity"] == "groups"
    assert "entity_precision" in card["metrics"]
    assert card["policies"] == ["default", "tuned", "budget"]
    _, card = card_of(table, alerts=24, groups=np.arange(240) % 60)
    assert card["budget"]["entity"] == ""
    assert "entity_precision" not in card["metrics"]


def test_many_classes(small):
    X, _ = small.small_table()
    y = np.repeat([0, 1, 2], [150, 80, 10])
    _, card = card_of((X, y))
    assert card["policies"] == ["argmax", "tuned"]
    assert card["task"]["decision_policy"] == "tuned"
    assert sum(fold["positives"] for fold in card["folds"]) == 10
    assert any("only 10 rows of the rarest class" in text for text in card["cautions"])


def test_classes_of_too_few_rows_are_not_weighed(small):
    X, _ = small.small_table()
    y = np.repeat([0, 1, 2], [150, 87, 3])
    _, card = card_of((X, y))
    assert card["policies"] == ["argmax"]
    assert card["task"]["decision_policy"] == "argmax"
    assert card["task"]["inner_folds"] == 0
    (caution,) = (text for text in card["cautions"] if "weights of the classes" in text)
    assert "fewer than 3 distinct rows (or groups) of a class, such as '2'" in caution


def test_a_leak_is_a_caution(table):
    X, y = table
    _, card = card_of((X.assign(fate=np.where(y, "gone", "here")), y))
    assert any("may be given away by 'fate'" in text for text in card["cautions"])


def test_weights_are_a_caution(table):
    _, card = card_of(table, sample_weight=np.ones(240))
    assert card["task"]["weight"] == "sample_weight"
    assert any("every test row counts once" in text for text in card["cautions"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alerts": 1}, "so the folds raise 3.0 times as many"),
        (
            {"alerts_per_day": 1, "cv": (2, 1), "time": np.arange(240) // 6},
            "every whole number was taken for a day",
        ),
    ],
)
def test_budgets_that_the_folds_cannot_keep_are_told(table, options, words):
    assert any(words in text for text in card_of(table, **options)[1]["cautions"])


@pytest.mark.parametrize("options", [{"alerts": 24}, {"alerts_per_day": 2, "time": DAYS}, {}])
def test_nothing_is_said_of_budgets_that_they_keep(table, options):
    cautions = " ".join(card_of(table, **options)[1]["cautions"])
    assert "budget" not in cautions
    assert "taken for a day" not in cautions
