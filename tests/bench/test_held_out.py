"""A test table that nothing else touches: what is refused, and what its scores are."""

import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as sk

from imbkit.bench._final_model import final_model
from imbkit.bench._held_out import describe_test, read_test
from imbkit.bench._options import Options
from imbkit.bench._plan import make_plan
from imbkit.exceptions import DataError, ImbkitWarning
from imbkit.metrics import expected_cost, recall_at_budget

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


@pytest.fixture
def later(small):
    """Rows of the same kind, to test on."""
    return small.small_table(n_rows=80, n_positive=20, seed=1)


def read(table, test, **options):
    X, y = table
    asked = Options(cv=(3, 1), strategies=[], learners=[], test=test, **options)
    plan = make_plan(X, y, asked, "y")
    return plan, read_test(plan, asked)


def test_no_table(table):
    assert read(table, None)[1] is None


def test_rows_are_read_as_the_training_rows_are(table, later):
    X, y = later
    plan, test = read(table, (X[["kind", "b", "a"]], y))
    assert list(test.X.columns) == list(plan.X.columns) == ["a", "b", "kind"]
    assert test.codes.tolist() == y.tolist()
    assert (test.costs, test.unseen, test.repeated) == (None, (), 0)


def test_missing_columns_are_an_error(table, later):
    X, y = later
    with pytest.raises(DataError, match=r"every feature of.*none of 'a', 'kind'.*--drop"):
        read(table, (X[["b"]], y))


def test_extra_columns_are_told_and_not_used(table, later):
    X, y = later
    with pytest.warns(ImbkitWarning, match="that the training table lacks are not used. Got 'odd'"):
        _, test = read(table, (X.assign(odd=1), y))
    assert list(test.X.columns) == ["a", "b", "kind"]


def test_columns_with_a_role_need_not_be_there_and_may_be(table, later):
    (X, y), (late, y_late) = table, later
    given = {"time": "when", "groups": "card", "costs": {"fn_cost": "a2", "fp_cost": 1}}
    X = X.assign(when=np.arange(240), card=np.arange(240) // 2, a2=1 + X["a"] ** 2)
    late = late.assign(a2=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for test in (late, late.assign(when=0, card="?")):
            _, found = read((X, y), (test, y_late), **given)
            assert list(found.X.columns) == ["a", "b", "kind", "a2"]
            assert found.costs.fn.tolist() == [2.0] * 80


@pytest.mark.parametrize(
    ("column", "values"),
    [("kind", np.arange(80.0)), ("a", ["x"] * 80), ("a", pd.to_datetime(["2020-01-01"] * 80))],
)
def test_columns_of_another_kind_are_an_error(table, later, column, values):
    X, y = later
    with pytest.raises(DataError, match=f"^test table: .*one kind in both. .*'{column}'"):
        read(table, (X.assign(**{column: values}), y))


def test_whole_numbers_and_missing_values_are_no_other_kind(table, later):
    X, y = later
    X = X.assign(a=1, b=X["b"].where(X["b"] > 0), kind=X["kind"].where(X["a"] > 0, None))
    assert read(table, (X, y))[1].codes.sum() == 20


def test_tables_of_two_libraries_are_an_error(table, later):
    X, y = later
    with pytest.raises(DataError, match="both tables must be of one library"):
        read(table, (pl.from_pandas(X), y))
    with pytest.raises(DataError, match="must have column names, or neither. Got ndarray"):
        read(table, (X.to_numpy(), y))
    both = [(pl.from_pandas(X), y) for X, y in (table, later)]
    assert read(*both)[1].codes.sum() == 20


def test_arrays_have_columns_by_position(table, later):
    (X, y), (late, y_late) = [(X[["a", "b"]].to_numpy(), y) for X, y in (table, later)]
    assert read((X, y), (late, y_late))[1].X.shape == (80, 2)
    with pytest.raises(DataError, match="none of 'x1'"):
        read((X, y), (late[:, :1], y_late))


def test_unseen_labels_of_two_classes_are_not_positive_and_named(table, later):
    (X, y), (late, y_late) = table, later
    names = np.array(["fine", "fraud"])[y]
    test = np.array(["fine", "fraud"], dtype=object)[y_late]
    test[np.flatnonzero(y_late == 0)[:5]] = "odd"
    plan, found = read((X, names), (late, test), positive=["fraud"])
    assert found.unseen == ("odd",)
    assert found.codes.tolist() == y_late.tolist()
    card = describe_test(plan, found, "later.csv")
    assert card == {
        "name": "later.csv",
        "rows": 80,
        "positives": 20,
        "unseen_labels": ["odd"],
        "repeated_rows": 0,
        "entries": [],
    }


def test_unseen_classes_of_many_are_an_error(table, later):
    (X, _), (late, y_late) = table, later
    y = np.array(["a", "b", "c"])[np.arange(240) % 3]
    with pytest.raises(DataError, match=r"no class that the training table lacks\. Got 'd'\. Drop"):
        read((X, y), (late, np.array(["a", "b", "d"])[np.arange(80) % 3]))
    assert read((X, y), (late, np.array(["a", "b"])[y_late]))[1].codes.max() == 1


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros(80, dtype=int), "more than one class. Got 80 rows of 0"),
        (np.ones(80, dtype=int), "more than one class. Got 80 rows of 1"),
        (np.array(["0", "1"] * 40), r"rows of 0, with the labels '0'( and|,) '1' that the train"),
        (np.ones(79, dtype=int), "more than one class"),
        (np.r_[0, np.ones(78, dtype=int)], "same number of rows. Got 80 and 79"),
        (np.r_[np.nan, np.ones(78), 0.0], "target must be known for every row.*1 missing of 80"),
        ([None, *[0, 1] * 39, 0], "target must be known for every row.*1 missing of 80"),
    ],
)
def test_targets_that_cannot_be_tested_on(table, later, labels, words):
    with pytest.raises(DataError, match=f"^test table: .*{words}"):
        read(table, (later[0], labels))


def test_no_rows(table, later):
    with pytest.raises(DataError, match="more than one class. Got 0 rows"):
        read(table, (later[0].iloc[:0], later[1][:0]))


def test_rows_of_the_training_table_are_counted(table, later):
    (X, y), (late, y_late) = table, later
    both = pd.concat([X.iloc[[3, 3, 9]], late])
    assert read(table, (both, np.r_[y[[3, 3, 9]], y_late]))[1].repeated == 3
    assert read(table, table)[1].repeated == 240


def run_on(run, table, later, **options):
    found = run(*table, strategies=["none"], test=later, **options)
    models = {}
    for entry in found._plan.entries:
        model = final_model(found._plan, entry.name, found.rows())
        models[entry.name] = SimpleNamespace(
            cut=model.threshold, fitted=model.fit(found._plan.X, table[1], None)
        )
    return found, models


def test_the_baseline_and_the_recommended_model_are_scored_once(run, table, later):
    X, y = later
    found, models = run_on(run, table, later)
    card = found.summary["held_out"]
    assert (card["rows"], card["positives"], card["name"]) == (80, 20, "test table")
    ids = [entry["id"] for entry in card["entries"]]
    expected = ["none/hist_gradient_boosting", found.summary["recommended"]]
    assert ids == list(dict.fromkeys(expected))
    for entry in card["entries"]:
        model = models[entry["id"]]
        chance = model.fitted.predict_proba(X)[:, 1]
        assert entry["scores"]["average_precision"] == sk.average_precision_score(y, chance)
        assert entry["scores"]["brier"] == pytest.approx(sk.brier_score_loss(y, chance))
        assert entry["threshold"] == model.cut
        guess = model.fitted.predict(X)
        assert entry["scores"]["mcc"] == pytest.approx(sk.matthews_corrcoef(y, guess))
        assert entry["scores"]["alert_rate"] == guess.mean()
        assert entry["policy"] == "tuned"
        for name, low in entry["low"].items():
            assert low <= entry["scores"][name] <= entry["high"][name]
        assert {"average_precision", "mcc", "recall"} <= set(entry["low"])
    json.dumps(card, allow_nan=False)


def test_a_recommended_challenger_stands_beside_the_baseline(run):
    """On few rows of a linear truth, logistic regression beats boosting beyond noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(320, 10))
    y = (X.sum(axis=1) > 1.9).astype(int)
    (X, late), (y, y_late) = np.split(X, [240]), np.split(y, [240])
    found = run(X, y, strategies=["none"], test=(late, y_late), cv=(5, 1))
    ids = [entry["id"] for entry in found.summary["held_out"]["entries"]]
    assert found.summary["recommended"] == "none/logistic"
    assert ids == ["none/hist_gradient_boosting", "none/logistic"]


def test_the_test_table_changes_no_row_of_the_comparison(run, table, later, timeless):
    plain, tested = run(*table, strategies=[]), run(*table, strategies=[], test=later)
    assert [timeless(row) for row in plain.rows()] == [timeless(row) for row in tested.rows()]
    assert plain.summary["held_out"] is None
    same = dict.fromkeys(("timing", "held_out"))
    assert {**plain.summary, **same} == {**tested.summary, **same}


def test_costs_of_the_test_rows_are_their_own(run, table, later):
    (X, y), (late, y_late) = table, later
    X, late = (each.assign(amount=np.exp(each["b"])) for each in (X, late))
    costs = {"fn_cost": "amount", "fp_cost": 0.5}
    found, models = run_on(run, (X, y), (late, y_late), costs=costs)
    amount = late["amount"].to_numpy()
    for entry in found.summary["held_out"]["entries"]:
        guess = models[entry["id"]].fitted.predict(late)
        mean = expected_cost(y_late, guess, fp=0.5, fn=amount)
        assert entry["scores"]["cost_per_1000"] == pytest.approx(1000 * mean)
        caught = amount[(y_late == 1) & (guess == 1)].sum() / amount[y_late == 1].sum()
        assert entry["scores"]["captured_amount"] == pytest.approx(caught)


def test_costs_given_as_arrays_are_of_the_training_rows_alone(run, table, later):
    costs = {"fn_cost": np.linspace(1, 5, 240), "fp_cost": 0.5}
    found = run(*table, strategies=[], learners=[], test=later, costs=costs)
    (entry,) = found.summary["held_out"]["entries"]
    assert "cost_per_1000" not in entry["scores"]
    assert "recall" in entry["scores"]


def test_alerts_are_the_same_share_of_the_test_rows(run, table, later):
    X, y = later
    found, models = run_on(run, table, later, alerts=24)
    for entry in found.summary["held_out"]["entries"]:
        assert entry["policy"] == "budget"
        assert entry["scores"]["alert_rate"] == pytest.approx(0.1)
        chance = models[entry["id"]].fitted.predict_proba(X)[:, 1]
        best = recall_at_budget(y, chance, budget=8)
        assert entry["scores"]["recall"] == pytest.approx(best)


def test_many_classes(run, later, small):
    X, _ = small.small_table()
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 240, p=[0.6, 0.3, 0.1])
    X = X.assign(a=X["a"] + 3 * (y == "a"), b=X["b"] + 3 * (y == "b"))
    found = run(X, y, strategies=[], learners=[], test=(X, y))
    (entry,) = found.summary["held_out"]["entries"]
    model = found.best_estimator()
    chance = model.predict_proba(X)
    assert list(model.classes_) == ["a", "b", "c"]
    expected = sk.roc_auc_score(y, chance, multi_class="ovr")
    weights = np.median([row["class_weights"] for row in found.rows()], axis=0)
    guess = model.classes_[(chance * weights).argmax(axis=1)]
    assert entry["scores"]["roc_auc"] == pytest.approx(expected)
    assert entry["scores"]["balanced_accuracy"] == pytest.approx(
        sk.balanced_accuracy_score(y, guess)
    )
    assert (entry["policy"], entry["threshold"]) == ("tuned", None)


def test_a_positive_class_that_sorts_first(run, table, later):
    (X, y), (late, y_late) = table, later
    words = np.array(["zero", "alarm"])
    found = run(X, words[y], strategies=[], learners=[], test=(late, words[y_late]))
    (entry,) = found.summary["held_out"]["entries"]
    chance = found.best_estimator().predict_proba(late)[:, 0]
    assert entry["scores"]["roc_auc"] == pytest.approx(sk.roc_auc_score(y_late, chance))
    assert entry["scores"]["roc_auc"] > 0.7
