"""The rules that keep a comparison honest, seen by spies that stand where samplers and models do.

Every row of the table has a number of its own in the first column, so a spy knows which rows it
is shown; synthetic rows have a number that no row has.
"""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV

from imbkit.bench import Learner, Strategy
from imbkit.bench._cell import inner_splits
from imbkit.bench._panel import LEARNERS

pd = pytest.importorskip("pandas")

SEEN = []
"""What the spies were shown, in order: (what, numbers of the rows, labels)."""


class SpySampler(BaseEstimator):
    """Over-samples the rare class with synthetic rows, and takes notes."""

    def fit_resample(self, X, y):
        SEEN.append(("sample", X[:, 0].copy(), y.copy()))
        new = X[y == 1] + 0.25
        return np.vstack([X, new]), np.append(y, np.ones(len(new), dtype=y.dtype))


class SpyModel(ClassifierMixin, BaseEstimator):
    """Scores by the second column, and takes notes."""

    def __init__(self, tilt=0.0):
        self.tilt = tilt

    def fit(self, X, y):
        SEEN.append(("fit", X[:, 0].copy(), y.copy()))
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        SEEN.append(("predict", X[:, 0].copy(), None))
        share = 1 / (1 + np.exp(-X[:, 1] - self.tilt))
        return np.column_stack([1 - share, share])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def pipeline(learner, task):
    return Pipeline([("sampler", SpySampler()), ("model", learner.model)])


SPIES = {
    "strategies": [Strategy("spy", pipeline)],
    "learners": [Learner("spy", "spy", SpyModel(), native=True)],
}


def table(n_rows=300, seed=0):
    """Numbers only, the first of them the row's own; 20 % positive."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < 0.2).astype(int)
    # Not spread evenly, or the comparison would take it for a key and say so.
    own = np.arange(n_rows) ** 2.0 + 1
    X = pd.DataFrame({"own": own, "score": rng.normal(size=n_rows) + y})
    X["other"], X["more"] = rng.normal(size=n_rows), rng.normal(size=n_rows)
    order = rng.permutation(n_rows)
    return X.iloc[order].reset_index(drop=True), y[order]


@pytest.fixture
def spied(run):
    """Run a comparison; return it, and for each of its splits what the spies saw there."""

    def call(X, y, **options):
        SEEN.clear()
        found = run(X, y, **(SPIES | options))
        numbers = X["own"].to_numpy()
        seen, cells = list(SEEN), []
        for split in found._plan.splits:
            test = set(numbers[split.test])
            end = next(
                i for i, (what, own, _) in enumerate(seen) if what == "predict" and set(own) == test
            )
            cells.append((split, seen[: end + 1]))
            seen = seen[end + 1 :]
        assert not any(what in ("sample", "fit") for what, _, _ in seen)
        return found, cells

    return call


@pytest.fixture(autouse=True)
def quick_baseline(monkeypatch):
    """The baseline always runs, too; here it need not be good."""
    name, model = "hist_gradient_boosting", HistGradientBoostingClassifier(max_iter=3)
    monkeypatch.setitem(LEARNERS, name, Learner(name, "boosting", model, native=True))


def numbers_of(X, rows):
    return set(X["own"].to_numpy()[rows])


def fits_and_predictions(cell):
    """Pairs of the rows that a model was fitted on (the sampler's input) and predicted."""
    sampled = None
    for what, own, _ in cell:
        if what == "sample":
            sampled = set(own)
        elif what == "predict":
            yield sampled, set(own)


# -- 1. samplers run on the training side --------------------------------------------------------


def test_samplers_see_training_rows_only(spied):
    X, y = table()
    _, cells = spied(X, y)
    assert len(cells) == 3
    for split, cell in cells:
        sampled = [set(own) for what, own, _ in cell if what == "sample"]
        assert len(sampled) == 4  # three inner folds, and the whole training side
        train = numbers_of(X, split.train)
        assert all(rows <= train for rows in sampled)
        assert sampled[-1] == train


def test_synthetic_rows_reach_the_model_and_nothing_else(spied):
    X, y = table()
    known = set(X["own"])
    for _, cell in spied(X, y)[1]:
        for what, own, _ in cell:
            assert (set(own) <= known) == (what != "fit")


# -- 2. thresholds are tuned on inner folds of rows as they are ----------------------------------


def test_thresholds_are_tuned_on_held_out_rows_as_they_are(spied):
    X, y = table()
    for split, cell in spied(X, y)[1]:
        *inner, outer = [own for what, own, _ in cell if what == "predict"]
        held_out = np.concatenate(inner)
        assert sorted(held_out) == sorted(numbers_of(X, split.train))  # each exactly once
        assert set(outer) == numbers_of(X, split.test)
        for fitted, predicted in fits_and_predictions(cell):
            assert not fitted & predicted


def test_thresholds_do_not_change_with_the_labels_of_the_test_fold(spied):
    # The test labels of the first split are turned around after the fact.
    X, y = table()
    _, cells = spied(X, y)
    split = cells[0][0]

    class Fixed:
        def split(self, X, y):
            return iter([(split.train, split.test)])

    turned = y.copy()
    turned[split.test] = 1 - turned[split.test]
    thresholds = [
        spied(X, labels, cv=Fixed())[0].rows()[-1]["policies"]["tuned"]["threshold"]
        for labels in (y, turned)
    ]
    assert thresholds[0] == thresholds[1]


# -- the outer fold is touched once ----------------------------------------------------------------


def test_the_test_fold_is_touched_once(spied):
    X, y = table()
    for split, cell in spied(X, y)[1]:
        test = numbers_of(X, split.test)
        touched = [what for what, own, _ in cell if set(own) & test]
        assert touched == ["predict"]
        # Nor is it looked at again once the cell is done.
        assert sum(what == "predict" and set(own) == test for what, own, _ in SEEN) == 1


# -- 3. equal rows never straddle ------------------------------------------------------------------


def straddling(cells, X, groups):
    """Pairs of fit and prediction that share a group."""
    group_of = dict(zip(X["own"], groups, strict=True))
    pairs = [
        ({group_of[i] for i in fitted}, {group_of[i] for i in predicted})
        for _, cell in cells
        for fitted, predicted in fits_and_predictions(cell)
    ]
    assert pairs
    return sum(bool(fitted & predicted) for fitted, predicted in pairs)


@pytest.mark.parametrize("key", [None, "counter", "text"])
def test_equal_rows_never_straddle(run, key):
    X, y = table()
    X.iloc[200:] = X.iloc[:100].to_numpy()
    groups = np.r_[:200, :100]
    if key:
        X["key"] = np.arange(300) if key == "counter" else [f"c{i}" for i in range(300)]
    plan = run(X, y, strategies=[], learners=[])._plan
    for split in plan.splits:
        assert not set(groups[split.train]) & set(groups[split.test])
        for train, test in inner_splits(split, plan.data):
            inner = groups[split.train]
            assert not set(inner[train]) & set(inner[test])


def test_copies_are_counted_and_so_are_those_with_another_label(run):
    X, _ = table()
    y = (np.arange(300) % 5 == 0).astype(int)
    X.iloc[296:] = X.iloc[1:5].to_numpy()
    y[296:] = 1
    card = run(X, y, strategies=[], learners=[]).summary["data"]
    assert (card["duplicate_rows"], card["contradicting_rows"]) == (4, 8)


# -- 4. groups, time, label delay ------------------------------------------------------------------


def test_groups_never_straddle(spied):
    X, y = table()
    groups = np.random.default_rng(1).integers(0, 40, 300)
    _, cells = spied(X, y, groups=groups)
    assert straddling(cells, X, groups) == 0


@pytest.mark.parametrize("delay", [None, 2.0])
def test_training_precedes_testing(spied, delay):
    X, y = table(600)
    days = np.random.default_rng(2).uniform(0, 40, 600)
    when = dict(zip(X["own"], days, strict=True))
    _, cells = spied(X, y, time=days, label_delay=delay)
    assert cells
    for _, cell in cells:
        # The labels of a training side are known, so thresholds are tuned without a delay.
        *inner, (fitted, predicted) = fits_and_predictions(cell)
        latest = max(when[i] for i in fitted)
        assert latest + (delay or 0) <= min(when[i] for i in predicted)
        for fitted, predicted in inner:
            assert max(when[i] for i in fitted) <= min(when[i] for i in predicted)


def test_time_and_groups_together(spied):
    X, y = table(600)
    groups = np.random.default_rng(1).integers(0, 400, 600)
    days = np.random.default_rng(2).uniform(0, 40, 600)
    when = dict(zip(X["own"], days, strict=True))
    _, cells = spied(X, y, time=days, groups=groups)
    assert straddling(cells, X, groups) == 0
    for _, cell in cells:
        for fitted, predicted in fits_and_predictions(cell):
            assert max(when[i] for i in fitted) <= min(when[i] for i in predicted)


# -- 5. a random split is shown only beside the time split -----------------------------------------


def test_optimism_stands_only_beside_a_time_split(run):
    X, y = table(600)
    days = np.random.default_rng(2).uniform(0, 40, 600)
    options = {"strategies": [], "learners": []}
    assert run(X, y, **options).summary["optimism"] is None
    found = run(X, y, time=days, **options)
    assert found.summary["optimism"] is not None
    plan = found._plan
    for split in plan.splits:  # those that the entries are judged by
        assert days[split.train].max() <= days[split.test].min()
    (entry,) = found.summary["entries"]
    assert len(entry["scores"]["average_precision"]["folds"]) == len(plan.splits)
    forward = [r["scores"]["average_precision"] for r in found.rows()[: len(plan.splits)]]
    assert entry["scores"]["average_precision"]["folds"] == pytest.approx(forward)


# -- 6. leak warnings ------------------------------------------------------------------------------


def test_leaks_are_named(run):
    X, y = table()
    X["after"] = np.where(y == 1, "chargeback", "none")
    X["refund"] = np.where((y == 1) & (X["other"] > 0), 1.5, np.nan)
    X["key"] = [f"c{i}" for i in range(300)]
    X["row"] = np.arange(300)
    card = run(X, y, strategies=[], learners=[]).summary["data"]
    assert {leak["column"]: leak["kind"] for leak in card["leaks"]} == {
        "after": "perfect",
        "refund": "outcome",
        "key": "identifier",
        "row": "order",
    }
    for leak in card["leaks"]:
        assert leak["text"] in card["warnings"]
        assert f"--drop '{leak['column']}'" in leak["text"]


# -- 7. the test prevalence is never changed -------------------------------------------------------


def test_test_folds_keep_their_rows(spied):
    X, y = table()
    found, cells = spied(X, y)
    tested = np.concatenate([cell[-1][1] for _, cell in cells])
    assert sorted(tested) == sorted(X["own"])
    for row, (split, _) in zip(
        [row for row in found.rows() if row["strategy"] == "spy"], cells, strict=True
    ):
        assert row["n_test"] == split.test.size


def test_another_prevalence_changes_no_score(run):
    X, y = table()
    options = {"strategies": [], "learners": []}
    plain, rare = (run(X, y, prevalence=p, **options).summary for p in (None, 0.001))
    for one, two in zip(plain["entries"], rare["entries"], strict=True):
        assert one["scores"] == two["scores"]


# -- 8. hyper-parameter search is nested -----------------------------------------------------------


def test_a_search_is_fitted_inside_training_sides(spied):
    X, y = table()
    search = GridSearchCV(SpyModel(), {"tilt": [0.0, 1.0]}, cv=2, scoring="average_precision")
    learner = Learner("search", "search", search, native=True)
    _, cells = spied(X, y, learners=[learner])
    for split, cell in cells:
        test = numbers_of(X, split.test)
        fits = [set(own) for what, own, _ in cell if what == "fit"]
        assert len(fits) == 4 * (2 * 2 + 1)  # inner folds and the training side, each searched
        assert not any(rows & test for rows in fits)
        assert [what for what, own, _ in cell if set(own) & test] == ["predict"]
