"""What a test fold is judged by, against the public metrics and rules made by hand."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

from imbkit._core.rng import derive
from imbkit._core.row_hash import row_hashes
from imbkit.bench._cell import inner_splits, run_cell, seed_estimator
from imbkit.bench._options import Options
from imbkit.bench._plan import make_plan
from imbkit.calibration import SigmoidCalibrator
from imbkit.metrics import (
    captured_amount_at_budget,
    expected_cost,
    precision_at_budget,
    recall_at_budget,
)

AMOUNT = np.random.default_rng(5).lognormal(1, 1, 240)
COSTS = {"fn_cost": AMOUNT, "fp_cost": 0.7, "tp_gain": 0.25 * AMOUNT}


def cells_of(table, strategies=("none",), **options):
    """Plan and rows of logistic regression."""
    X, y = table
    asked = Options(cv=(3, 1), strategies=list(strategies), learners=["logistic"], **options)
    plan = make_plan(X, y, asked.checked(), "y")
    cells = [c for c in plan.cells if c.learner == "logistic" and c.split.part == "main"]
    rows = [run_cell(cell, plan.data) for cell in cells]
    assert {row["status"] for row in rows} == {"done"}, rows[0]["error"]
    return plan, list(zip(cells, rows, strict=True))


def chances(plan, cell):
    """Labels of a cell's test side and their probabilities, by fitting once more."""
    split, data = cell.split, plan.data
    seed = derive(data.seed, "fit", split.repeat, split.fold)
    model = seed_estimator(clone(cell.estimator), seed)
    model.fit(data.matrix[split.train], data.codes[split.train])
    return data.codes[split.test], model.predict_proba(data.matrix[split.test])[:, 1]


def calibrated(plan, cell, chance):
    """Probabilities after a sigmoid that the inner folds of the training side were asked for."""
    split, data = cell.split, plan.data
    scores, truth = [], []
    for train, test in inner_splits(split, data):
        model = clone(cell.estimator).fit(
            data.matrix[split.train[train]], data.codes[split.train[train]]
        )
        scores.append(model.predict_proba(data.matrix[split.train[test]])[:, 1])
        truth.append(data.codes[split.train[test]] == 1)
    sigmoid = SigmoidCalibrator().fit(np.concatenate(scores), np.concatenate(truth))
    return sigmoid.predict_proba(chance)[:, 1]


def test_money_is_that_of_the_public_metrics(table):
    plan, cells = cells_of(table, costs=COSTS)
    for cell, row in cells:
        test = cell.split.test
        y, chance = chances(plan, cell)
        fn, gain = AMOUNT[test], 0.25 * AMOUNT[test]

        def cost(flagged, y=y, fn=fn, gain=gain):
            return 1000 * expected_cost(y, flagged.astype(int), fp=0.7, fn=fn, tp=-gain)

        for policy in ("default", "tuned"):
            found = row["policies"][policy]
            flagged = chance >= found["threshold"]
            assert found["cost_per_1000"] == pytest.approx(cost(flagged))
            nothing = cost(np.zeros(y.size))
            assert found["saved_per_1000"] == pytest.approx(nothing - cost(flagged))
            caught = fn[(y == 1) & flagged].sum() / fn[y == 1].sum()
            assert found["captured_amount"] == pytest.approx(caught)


def test_expected_loss_alerts_where_silence_would_cost_more(table):
    plan, cells = cells_of(table, costs=COSTS)
    for cell, row in cells:
        test = cell.split.test
        y, chance = chances(plan, cell)
        chance = calibrated(plan, cell, chance)
        silence = chance * AMOUNT[test]
        alert = (1 - chance) * 0.7 - chance * 0.25 * AMOUNT[test]
        flagged = alert < silence
        found = row["policies"]["expected_loss"]
        assert "threshold" not in found
        assert found["alert_rate"] == pytest.approx(flagged.mean())
        assert found["recall"] == pytest.approx(flagged[y == 1].mean())
        cost = expected_cost(
            y, flagged.astype(int), fp=0.7, fn=AMOUNT[test], tp=-0.25 * AMOUNT[test]
        )
        assert found["cost_per_1000"] == pytest.approx(1000 * cost)


def test_expected_loss_uses_repaired_probabilities(table):
    """Class weights shift every probability up; repaired, fewer rows are worth an alert."""
    costs = {"fn_cost": 4.0, "fp_cost": 1.0}
    plan, cells = cells_of(table, ["class_weight"], costs=costs)
    for cell, row in cells:
        y, raw = chances(plan, cell)
        repaired = calibrated(plan, cell, raw)
        assert row["repair"] == "sigmoid"
        found = row["policies"]["expected_loss"]
        assert found["alert_rate"] == pytest.approx(np.mean(repaired > 1 / 5))
        assert found["alert_rate"] < np.mean(raw > 1 / 5)
        after = row["calibration"]["after"]
        assert after["brier"] == pytest.approx(np.mean((repaired - y) ** 2))
        assert after["mean"] == pytest.approx(repaired.mean())
        assert row["calibration"]["before"]["mean"] == pytest.approx(raw.mean())
        counts = np.array(row["repaired"])
        assert counts.sum(axis=0) == pytest.approx([y.size, repaired.sum(), y.sum()])
        counts = np.array(row["reliability"])
        assert counts.sum(axis=0) == pytest.approx([y.size, raw.sum(), y.sum()])


def test_the_untouched_learner_is_calibrated_on_the_inner_folds(table):
    """No threshold, no ranking and no test row has a part in it."""
    plan, cells = cells_of(table)
    for cell, row in cells:
        y, raw = chances(plan, cell)
        after = calibrated(plan, cell, raw)
        assert row["repair"] == "sigmoid"
        errors = row["calibration"]["after"]
        assert errors["brier"] == pytest.approx(np.mean((after - y) ** 2))
        assert errors["log_loss"] == pytest.approx(log_loss(y, after))
        assert row["scores"]["brier"] == pytest.approx(np.mean((raw - y) ** 2))


def test_weights_shift_the_share_so_the_scores_are_asked(table):
    """The share that class weights make up is no longer known beside row weights."""
    weight = np.where(table[1] == 1, 3.0, 1.0)
    _, cells = cells_of(table, ["class_weight"], sample_weight=weight)
    assert {row["repair"] for _, row in cells} == {"sigmoid"}


def test_the_budget_flags_the_highest_scores(table):
    plan, cells = cells_of(table, alerts=30)
    for cell, row in cells:
        test = cell.split.test
        y, chance = chances(plan, cell)
        found = row["policies"]["budget"]
        assert test.size == 80
        assert found["alert_rate"] == pytest.approx(10 / 80)
        assert found["recall"] == pytest.approx(recall_at_budget(y, chance, budget=10))
        assert found["precision"] == pytest.approx(precision_at_budget(y, chance, budget=10))
        assert found["threshold"] == pytest.approx(np.sort(chance)[-10])


def test_ties_at_the_budget_are_broken_by_the_row(table):
    """A learner that cannot rank flags the rows of the smallest hashes."""
    from sklearn.dummy import DummyClassifier

    X, y = table
    asked = Options(cv=(3, 1), strategies=["none"], learners=[DummyClassifier()], alerts=30)
    plan = make_plan(X, y, asked, "y")
    hashes = row_hashes(plan.table.matrix)
    for cell in plan.cells:
        if cell.learner == "DummyClassifier":
            test = cell.split.test
            first = test[np.argsort(hashes[test], kind="stable")[:10]]
            row = run_cell(cell, plan.data)
            assert row["policies"]["budget"]["precision"] == pytest.approx(y[first].mean())


def test_the_budget_catches_the_amount_that_the_metric_says(table):
    plan, cells = cells_of(table, alerts=30, costs={"fn_cost": AMOUNT, "fp_cost": 1})
    for cell, row in cells:
        y, chance = chances(plan, cell)
        share = captured_amount_at_budget(
            y, chance, amount=AMOUNT[cell.split.test], budget=10, normalize=True
        )
        assert row["policies"]["budget"]["captured_amount"] == pytest.approx(share)


def test_alerts_per_day_are_flagged_day_by_day(table):
    day = np.arange(240) // 20
    plan, cells = cells_of(table, time=day, alerts_per_day=3, groups=np.arange(240) % 60)
    for cell, row in cells:
        test = cell.split.test
        y, chance = chances(plan, cell)
        caught = 0
        for each in np.unique(day[test]):
            here = day[test] == each
            # A day of which a part is tested has its part of the alerts.
            share = max(int(np.floor(3 * here.sum() / 20 + 0.5)), 1)
            caught += recall_at_budget(y[here], chance[here], budget=share) * y[here].sum()
        found = row["policies"]["budget"]
        assert found["recall"] == pytest.approx(caught / y.sum())
        assert 0 <= found["entity_precision"] <= 1


def test_errors_and_curves_come_with_every_value(table):
    _, cells = cells_of(table, costs=COSTS, alerts=30)
    for cell, row in cells:
        assert set(row["errors"]) == set(row["scores"])
        for policy, values in row["policies"].items():
            measures = set(values) - {"threshold"}
            assert measures == set(row["policy_errors"][policy])
        y = row["curve"]["tp"][-1], row["curve"]["fp"][-1]
        assert sum(y) == cell.split.test.size


def test_the_bootstrap_draws_whole_groups(table):
    """Twelve copies of a row in one group are one row's worth of evidence."""
    X, y = table
    X, y = X.iloc[np.repeat(np.arange(240), 4)], np.repeat(y, 4)
    alone = cells_of((X, y))[1][0][1]["errors"]["roc_auc"]
    groups = np.repeat(np.arange(240), 4)
    whole = cells_of((X, y), groups=groups)[1][0][1]["errors"]["roc_auc"]
    assert whole > 1.5 * alone
