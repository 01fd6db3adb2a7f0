"""Times until an event: Harrell's concordance, Breslow's baseline, targets, the net."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.nets import ImbalancedCoxNet
from imbkit.nets._concordance import concordance
from imbkit.nets._cox import _breslow
from imbkit.nets._survival_target import survival_target

SMALL = {"module_params": {"hidden": (8,)}, "max_epochs": 3, "lr": 0.02, "batch_size": 64}
SMALL |= {"random_state": 0, "device": "cpu"}


def make(n=300, seed=0, end=0.3):
    """Times with the log hazard 2 x0 - x1, most of them cut off."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, 3))
    time = draw.exponential(np.exp(X[:, 1] - 2 * X[:, 0]))
    last = draw.exponential(end, n)
    return X, np.minimum(time, last), time <= last


def pairs(X, time, event):
    return X, np.column_stack([time, event])


def net(**more):
    return ImbalancedCoxNet(**{**SMALL, **more})


# --- concordance


def two_loops(time, event, risk):
    good = total = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            later = time[i] < time[j] or (time[i] == time[j] and not event[j])
            if i != j and event[i] and later:
                total += 1
                good += 1.0 if risk[i] > risk[j] else 0.5 * (risk[i] == risk[j])
    return good / total if total else math.nan


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.booleans(), st.integers(-4, 4)), min_size=1, max_size=40
    )
)
def test_concordance_is_that_of_two_loops_with_ties_everywhere(rows):
    time, event, risk = map(np.array, zip(*rows, strict=True))
    found, expected = concordance(time, event, risk), two_loops(time, event, risk)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 31, 64, 65, 200])
def test_concordance_of_distinct_numbers(n):
    draw = np.random.default_rng(n)
    time, risk = draw.random(n), draw.normal(size=n)
    event = draw.random(n) < 0.6
    found, expected = concordance(time, event, risk), two_loops(time, event, risk)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_concordance_known_values():
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, True, True])
    assert concordance(time, event, np.array([3.0, 2.0, 1.0])) == 1.0
    assert concordance(time, event, time) == 0.0
    assert concordance(time, event, np.zeros(3)) == 0.5
    # Of rows with events at the same time none is first; one cut off then came later.
    assert math.isnan(concordance(np.ones(2), np.array([True, True]), np.arange(2.0)))
    assert concordance(np.ones(2), np.array([True, False]), np.array([1.0, 0.0])) == 1.0
    assert math.isnan(concordance(time, ~event, time))


def test_concordance_of_many_rows_has_no_overflow():
    n = 60_000
    time = np.arange(n)
    assert concordance(time, np.ones(n, bool), -time) == 1.0
    half = concordance(time, np.ones(n, bool), np.random.default_rng(0).random(n))
    assert abs(half - 0.5) < 0.01


# --- baseline


def brute_baseline(f, time, event, mass):
    times = sorted({t for t, e in zip(time, event, strict=True) if e})
    total, found = 0.0, []
    for t in times:
        seen = sum(m for s, e, m in zip(time, event, mass, strict=True) if e and s == t)
        risk = sum(m * math.exp(g) for s, g, m in zip(time, f, mass, strict=True) if s >= t)
        total += seen / risk
        found.append(total)
    return times, found


@settings(max_examples=100)
@given(st.integers(1, 30), st.integers(0, 999))
def test_baseline_is_breslows(n, seed):
    draw = np.random.default_rng(seed)
    f, time = draw.normal(size=n), draw.integers(0, 8, n).astype(float)
    event, mass = draw.random(n) < 0.5, draw.uniform(0.1, 3, n)
    event[0] = True
    times, log_hazard = _breslow(f, time, event, mass)
    expected_times, expected = brute_baseline(f, time, event, mass)
    assert times.tolist() == expected_times
    np.testing.assert_allclose(np.exp(log_hazard), expected, rtol=1e-10)


def test_baseline_of_huge_log_hazards_is_finite():
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])
    for offset in (0.0, 5000.0, -5000.0):
        _, log_hazard = _breslow(np.array([0.0, 1.0, 2.0]) + offset, time, event, np.ones(3))
        expected = np.log([1 / (1 + math.e + math.e**2), 1 / (1 + math.e + math.e**2) + math.e**-2])
        np.testing.assert_allclose(log_hazard, expected - offset, rtol=1e-10)


@pytest.mark.parametrize("scoring", [None, "concordance"])
def test_survival_tells_of_as_many_events_as_there_were(scoring):
    """Of the training rows the hazards up to each one's time sum to the number of events."""
    X, time, event = make()
    w = np.random.default_rng(1).uniform(0.5, 2, 300)
    model = net(scoring=scoring).fit(*pairs(X, time, event), sample_weight=w)
    rows = np.arange(300) if model._split is None else model._split[0]
    survival = model.predict_survival(X[rows], time[rows]).diagonal()
    expected = (w * event)[rows].sum()
    assert -(w[rows] * np.log(survival)).sum() == pytest.approx(expected, rel=1e-6)


def test_survival_is_the_baseline_to_the_power_of_the_hazard():
    X, time, event = make()
    model = net().fit(*pairs(X, time, event))
    assert np.isin(model.event_times_, time[event]).all()
    at = [0.0, *np.quantile(model.event_times_, [0.3, 0.7]), time.max() + 1]
    found = model.predict_survival(X, at)
    hazard = np.exp(model.log_baseline_)
    for k, t in enumerate(at):
        up_to = np.flatnonzero(model.event_times_ <= t)
        total = hazard[up_to[-1]] if len(up_to) else 0.0
        np.testing.assert_allclose(found[:, k], np.exp(-total * np.exp(model.predict(X))))
    assert (found[:, 0] == 1).all()
    assert (np.diff(found, axis=1) <= 0).all()
    back = model.predict_survival(X, at[::-1])
    np.testing.assert_array_equal(back, found[:, ::-1])
    # The step is at the time of the event itself.
    first = model.event_times_[0]
    assert (model.predict_survival(X, [first]) < 1).all()
    assert (model.predict_survival(X, [np.nextafter(first, 0)]) == 1).all()


def test_survival_is_near_the_truth_of_other_rows():
    X, time, event = make(1500, end=3.0)
    model = net(max_epochs=12, loss_params={"event_weight": 1.0}).fit(*pairs(X, time, event))
    X, _, _ = make(1500, seed=1)
    rate = np.exp(2 * X[:, 0] - X[:, 1])
    for t in (0.1, 0.5, 1.0):
        found = model.predict_survival(X, [t])[:, 0]
        assert np.abs(found - np.exp(-rate * t)).mean() < 0.07
        assert found.mean() == pytest.approx(np.exp(-rate * t).mean(), abs=0.03)


@pytest.mark.parametrize("times", [1.0, [-1.0], [np.nan], [np.inf], [[1.0]], ["a"]])
def test_other_times_are_refused(times):
    X, time, event = make(100)
    model = net(max_epochs=1).fit(*pairs(X, time, event))
    with pytest.raises(DataError, match="times must be"):
        model.predict_survival(X, times)
    assert model.predict_survival(X, []).shape == (100, 0)


# --- learning


def test_rows_are_ordered_and_the_best_epoch_is_kept():
    X, time, event = make(600)
    X, y = pairs(X, time, event)
    model = net(max_epochs=15, validation_fraction=0.3).fit(X, y)
    held = model._split[1]
    best = max(row["valid_score"] for row in model.history_)
    assert model.score(X[held], y[held]) == pytest.approx(best, abs=1e-6)
    assert event[held].sum() == round(0.3 * event.sum())
    other = pairs(*make(600, seed=1))
    truth = 2 * other[0][:, 0] - other[0][:, 1]
    assert model.score(*other) > concordance(other[1][:, 0], other[1][:, 1] == 1, truth) - 0.03
    assert np.corrcoef(model.predict(other[0]), truth)[0, 1] > 0.9


def test_training_ends_when_no_epoch_is_better():
    X, y = pairs(*make())
    model = net(max_epochs=60, patience=2, lr=0.1).fit(X, y)
    scores = [row["valid_score"] for row in model.history_]
    assert len(scores) < 60
    assert int(np.argmax(scores)) == len(scores) - 3
    assert len(net(max_epochs=5, patience=1, early_stopping=False).fit(X, y).history_) == 5
    assert "valid_score" not in net(scoring=None).fit(X, y).history_[0]


def test_only_the_order_of_times_counts_for_the_order_of_rows():
    X, time, event = make()
    first = net().fit(*pairs(X, time, event))
    other = net().fit(*pairs(X, 1e6 * time**3, event))
    np.testing.assert_array_equal(first.predict(X), other.predict(X))
    np.testing.assert_array_equal(first.log_baseline_, other.log_baseline_)
    # Times that float32 could not tell apart are still two times.
    close = 1e9 + np.arange(300)
    assert len(net(scoring=None).fit(*pairs(X, close, np.ones(300))).event_times_) == 300


def test_weights_of_events_reach_the_loss():
    X, y = pairs(*make())
    model = net().set_params(loss__event_weight=1.0).fit(X, y)
    assert model.loss_.event_weight == 1.0
    assert model.net_.stats_.task == "survival"
    assert len(model.net_.stats_.counts) == 0
    assert not np.array_equal(model.predict(X), net().fit(X, y).predict(X))


def test_rows_of_weight_zero_are_not_there():
    X, y = pairs(*make())
    w = np.random.default_rng(0).uniform(0.5, 2, 300)
    w[::4] = 0
    found = net().fit(X, y, sample_weight=w)
    expected = net().fit(X[w > 0], y[w > 0], sample_weight=w[w > 0])
    np.testing.assert_array_equal(found.predict(X), expected.predict(X))
    np.testing.assert_array_equal(found.log_baseline_, expected.log_baseline_)
    assert not np.array_equal(found.predict(X), net().fit(X[w > 0], y[w > 0]).predict(X))


# --- targets


def test_the_same_target_in_every_form():
    X, time, event = make(100)
    expected = net().fit(*pairs(X, time, event)).predict(X)
    named = pd.DataFrame({"event": event, "id": "x", "time": time})
    forms = [
        named,
        pl.from_pandas(named),
        named[["time", "event"]].astype(float),
        np.array(list(zip(event, time, strict=True)), dtype=[("cens", bool), ("days", float)]),
        np.array(list(zip(time, event, strict=True)), dtype=[("days", float), ("cens", bool)]),
        np.array(list(zip(event, time, strict=True)), dtype=[("event", int), ("time", float)]),
        list(zip(time, event, strict=True)),
        np.column_stack([time, event]).astype(object),
    ]
    for form in forms:
        np.testing.assert_array_equal(net().fit(X, form).predict(X), expected)
        found = survival_target(form, 100, "Net")
        np.testing.assert_array_equal(found[0], time)
        np.testing.assert_array_equal(found[1], event)


TIMES = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "requires y"),
        (TIMES, "two columns"),
        (np.ones((3, 3)), "two columns"),
        (np.column_stack([-TIMES, [1, 0, 1]]), "none below 0.*3 other values, the first -1.0"),
        (np.column_stack([[1, np.nan, 2], [1, 0, 1]]), "finite.*first nan"),
        (np.column_stack([[1, np.inf, 2], [1, 0, 1]]), "finite.*first inf"),
        (np.column_stack([TIMES, [1, 2, 0]]), "events must be 1.*first 2.0"),
        (np.column_stack([[1, 0, 1], TIMES]), "swap the columns"),
        (np.column_stack([TIMES, [1, np.nan, 0]]), "events must be 1"),
        (np.column_stack([TIMES, [0, 0, 0]]), "there must be an event"),
        (np.column_stack([TIMES, [1, 0, 1]])[:2], "same number of rows"),
        (pd.DataFrame({"time": TIMES, "died": [1, 0, 1]}), "columns time and event"),
        (np.array([(1.0, 2.0)] * 3, dtype=[("a", float), ("b", float)]), "boolean field"),
        (np.array([(True, 2.0, 1)] * 3, dtype=[("a", "?"), ("b", "f"), ("c", "i")]), "boolean"),
        (np.array([["1", "x"]] * 3), "times must be numbers"),
        (np.array([["1", "x"]] * 3, dtype=object), "events must be numbers"),
        (
            pd.DataFrame({"time": pd.to_timedelta([1, 2, 3], unit="D"), "event": [1, 0, 1]}),
            "unit of time",
        ),
    ],
)
def test_other_targets_are_refused(y, said):
    with pytest.raises(DataError, match=said):
        net().fit(np.arange(6.0).reshape(3, 2), y)


def test_events_without_weight_are_none():
    X, time, event = make(50)
    with pytest.raises(DataError, match="positive weight"):
        net().fit(*pairs(X, time, event), sample_weight=(~event).astype(float))


def test_a_loss_that_knows_no_times_is_refused():
    with pytest.raises(InvalidParameterError, match="survival"):
        net(loss="focal").fit(*pairs(*make(50)))


def test_a_single_event_is_learned_from_and_judges_nothing():
    X, time, _ = make(60)
    event = np.zeros(60, bool)
    event[7] = True
    with pytest.warns(ImbkitWarning, match="must be a number"):
        model = net(max_epochs=4, patience=1).fit(*pairs(X, time, event))
    assert len(model.history_) == 4
    assert np.isfinite(model.predict(X)).all()
    assert model.event_times_.tolist() == [time[7]]
    with pytest.warns(SmallClassWarning, match="not judged"):
        net().fit(X[:1], [[1.0, 1]])


def test_a_score_needs_pairs():
    X, y = pairs(*make(50))
    model = net(max_epochs=1).fit(X, y)
    with pytest.raises(DataError, match="1 events in 1 rows"):
        model.score(X[:1], [[1.0, 1]])


# --- as scikit-learn's


def test_frames_are_tables():
    X, time, event = make()
    frame = pd.DataFrame(X, columns=list("abc"))
    frame["kind"] = np.where(X[:, 0] > 0, "x", None)
    y = pd.DataFrame({"time": time, "event": event})
    first = net().fit(frame, y)
    other = net().fit(pl.from_pandas(frame), pl.from_pandas(y))
    np.testing.assert_array_equal(first.predict(frame), other.predict(pl.from_pandas(frame)))
    assert first.score(frame, y) == other.score(pl.from_pandas(frame), y) > 0.5


def test_a_search_tries_parameters_of_parts_with_structured_targets():
    X, time, event = make()
    y = np.array(list(zip(event, time, strict=True)), dtype=[("e", bool), ("t", float)])
    search = GridSearchCV(net(), {"loss__event_weight": [1.0, 5.0]}, cv=2, error_score="raise")
    search.fit(X, y)
    wanted = search.best_params_["loss__event_weight"]
    assert search.best_estimator_.loss_.event_weight == wanted
    assert (cross_val_score(net(), X, y, cv=2) > 0.5).all()


def test_a_pickle_predicts_the_same():
    X, y = pairs(*make())
    model = net().fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    found, expected = (each.predict_survival(X, [0.1, 0.5]) for each in (again, model))
    np.testing.assert_array_equal(found, expected)


def test_the_seed_decides_and_torch_is_left_alone():
    X, y = pairs(*make())
    before = torch.get_rng_state()
    first = net().fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first, net().fit(X, y).predict(X))
    assert not np.array_equal(first, net(random_state=1).fit(X, y).predict(X))


class AllSeen(ImbalancedCoxNet):
    """Takes a number a row, as scikit-learn's checks have them: a time, with an event each."""

    def fit(self, X, y, sample_weight=None):
        if y is not None and np.asarray(y).shape[1:] == (1,):
            y = np.asarray(y, dtype=float).ravel()
            y = np.column_stack([y - y.min(), np.ones(len(y))])
        return super().fit(X, y, sample_weight=sample_weight)

    def score(self, X, y):
        return super().score(X, np.column_stack([np.ravel(y), np.ones(len(X))]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags._skip_test = False
        return tags


def checks():
    more = {"device": "cpu", "scoring": None, "random_state": 0}
    made = AllSeen(**ImbalancedCoxNet.card.cases[0], **more)
    # Rows are learned in batches, so a row of weight 2 is not two rows.
    without = ("check_sample_weight_equivalence_on_dense_data", "check_array_api_input")
    for estimator, check in estimator_checks_generator(made, mark=None):
        name = check.func.__name__
        if name not in without:
            yield pytest.param(estimator, check, id=name)


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_what_concerns_the_table_is_as_scikit_learn_wants_it(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
