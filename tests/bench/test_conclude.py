"""The model is trained, tested, saved and written down, or the page says why not."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from imbkit.bench import _conclude
from imbkit.bench._final_model import FinalModel
from imbkit.exceptions import OutputError

skops_io = pytest.importorskip("skops.io")


def trusted_in(recipe):
    """The list of types that a recipe trusts."""
    return eval(recipe.partition("trusted=")[2].partition(")\n")[0])


@pytest.mark.parametrize("weighted", [False, True])
def test_the_saved_model_is_the_recommended_one(tmp_path, table, run, weighted):
    X, y = table
    weight = np.linspace(0.5, 2, 240) if weighted else None
    found = run(X, y, strategies=["none"], sample_weight=weight, output=tmp_path)
    model = found.best_estimator()
    shipped = skops_io.load(tmp_path / "model.skops", trusted=trusted_in(found.recipe()))
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    np.testing.assert_array_equal(shipped.predict_proba(X), model.predict_proba(X))
    assert shipped.threshold == model.threshold


def test_a_sampler_does_not_ship(tmp_path, run):
    """SMOTE is recommended here by force, not by luck."""
    from imbkit.bench._panel import LEARNERS, STRATEGIES
    from imbkit.bench._shipped import save_model

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2)), np.arange(120) % 5 == 0
    found = run(X, y, strategies=["smote"], budget_minutes=1e-9)
    estimator = STRATEGIES["smote"].build(LEARNERS["logistic"], found._plan.task)
    model = FinalModel(estimator, 0.4, True).fit(X, y, None)
    trusted = save_model(model, tmp_path / "model.skops", X)
    shipped = skops_io.load(tmp_path / "model.skops", trusted=trusted)
    assert "sampler" not in dict(shipped.estimator.steps)
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))


def test_nothing_is_trained_where_nobody_asked(table, run, monkeypatch):
    monkeypatch.setattr(FinalModel, "fit", None)
    assert run(*table, strategies=[], learners=[]).recipe()


def test_an_unfinished_winner_is_not_trained(tmp_path, table, run):
    found = run(*table, output=tmp_path, budget_minutes=1e-9)
    assert not (tmp_path / "model.skops").exists()
    assert "model.skops" not in found.recipe()
    assert (tmp_path / "recipe.py").read_text() == found.recipe()


def test_a_model_that_cannot_be_saved_is_a_problem_on_the_page(tmp_path, table, run, monkeypatch):
    def refuse(*_):
        raise OutputError("the disc\nis full")

    monkeypatch.setattr(_conclude, "save_model", refuse)
    found = run(*table, strategies=[], learners=[], output=tmp_path)
    (problem,) = found.summary["problems"]
    assert (problem["kind"], problem["where"]) == ("failed", found.summary["recommended"])
    assert problem["text"] == "the model was not saved: the disc"
    assert "model.skops" not in found.recipe()
    assert (tmp_path / "report.html").exists()


def test_a_model_that_cannot_be_trained_on_all_rows(tmp_path, table, run, monkeypatch):
    fit = HistGradientBoostingClassifier.fit

    def sometimes(self, X, y, sample_weight=None):
        if len(X) == 240:
            raise RuntimeError("too many rows\nfor me")
        return fit(self, X, y, sample_weight)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", sometimes)
    X, y = table
    found = run(X, y, strategies=[], learners=[], output=tmp_path, test=(X, y))
    (problem,) = found.summary["problems"]
    assert problem["text"] == "training on the whole table: RuntimeError: too many rows"
    assert found.summary["held_out"]["entries"] == []
    assert not (tmp_path / "model.skops").exists()
    assert found.summary["entries"][0]["done"] == 3


class Loud(ClassifierMixin, BaseEstimator):
    """Warns whenever it is fitted."""

    def fit(self, X, y):
        import warnings

        warnings.warn("not converged", UserWarning, stacklevel=1)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def test_warnings_of_the_last_fit_are_not_shown(table, monkeypatch):
    from imbkit.bench._conclude import _fit

    X, y = table
    problems = []
    model = FinalModel(Loud(), 0.5, 1)
    plan = type("Plan", (), {"X": X, "data": type("Data", (), {"weight": None}), "constant": ""})
    assert _fit(plan, "x", model, y, problems) is not None
    assert problems == []


def test_wall_seconds_are_those_of_the_call(table, run):
    seconds = run(*table, strategies=[], learners=[]).summary["timing"]["wall_seconds"]
    assert seconds > 0


def test_a_test_table_is_described_though_nothing_was_scored_on_it(tmp_path, table, run):
    found = run(*table, test=table, output=tmp_path, budget_minutes=1e-9)
    card = found.summary["held_out"]
    assert (card["rows"], card["repeated_rows"], card["entries"]) == (240, 240, [])
    assert "could not be scored" in (tmp_path / "report.html").read_text()


def test_a_model_that_raises_no_alert_is_told(tmp_path, table, run):
    """A false alarm costs more than all positives together."""
    y, noise = table[1], np.random.default_rng(0).normal(size=(240, 2))
    costs = {"fn_cost": 1, "fp_cost": 1e6}
    found = run(noise, y, strategies=[], costs=costs, output=tmp_path, test=(noise, y))
    assert found.best_estimator().threshold == np.inf
    assert any("the recommended model raises none" in p["text"] for p in found.summary["problems"])
    scored = found.summary["held_out"]["entries"][0]
    assert scored["threshold"] is None
    assert scored["scores"]["alert_rate"] == 0
    assert 'threshold=float("inf")' in found.recipe()
