"""Learners that are run only where they are named."""

import numpy as np
import pytest
from sklearn.base import clone

from imbkit.bench._cell import seed_estimator
from imbkit.bench._more_learners import MORE_LEARNERS, more_learner, more_learner_names
from imbkit.bench._options import Options
from imbkit.bench._panel import LEARNERS, STRATEGIES, Task
from imbkit.bench._plan import make_plan


def curved(n_rows=300, seed=0):
    """A rare class inside of a frequent one, which no linear model finds, and a category."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3)) * [1, 100, 0]
    y = (np.hypot(X[:, 0], X[:, 1] / 100) < 0.6).astype(int)
    X[:, 2] = rng.integers(0, 3, n_rows)
    return X, y


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", MORE_LEARNERS)
def test_every_strategy_fits_and_predicts(name, strategy):
    X, y = curved()
    X[::7, 0] = np.nan
    task = Task("binary", (0, 1), (2,), missing=True, n_train=300, fewest=40)
    model = seed_estimator(STRATEGIES[strategy].build(more_learner(name), task), 0).fit(X, y)
    new, truth = curved(seed=1)
    chances = model.predict_proba(new)[:, 1]
    # The first column is not scaled like the second: only columns of one scale show the class.
    assert chances[truth == 1].mean() > chances[truth == 0].mean() + 0.1


def test_the_untouched_model_weighs_no_class():
    task = Task("binary", (0, 1, 2), (), missing=False, n_train=300, fewest=40)
    models = {
        name: STRATEGIES[name].build(more_learner("rvfl"), task).named_steps["model"]
        for name in ("none", "class_weight")
    }
    assert models["none"].class_weight is None
    assert models["class_weight"].class_weight == "balanced"
    X, y = curved()
    alerts = [clone(m).set_params(random_state=0).fit(X, y).predict(X) for m in models.values()]
    assert alerts[0].mean() < alerts[1].mean()


def test_they_are_on_no_panel_and_run_where_they_are_named():
    X, y = curved()
    plain = {each.learner.name for each in make_plan(X, y, Options(cv=(3, 1)), "y").entries}
    assert plain == set(LEARNERS)
    assert not plain & set(MORE_LEARNERS)
    options = Options(cv=(3, 1), learners=["rvfl"], quick=True)
    entries = make_plan(X, y, options, "y").entries
    assert entries[0].name == "none/hist_gradient_boosting"
    assert [each.name for each in entries[1:]] == [
        "none/rvfl",
        "class_weight/rvfl",
        "random_under/rvfl",
    ]
    assert entries[1].title == "untouched + " + dict(more_learner_names())["rvfl"]
    # What is known by its name is, so that a run goes on where it was interrupted.
    assert not any(each.is_own for each in entries)


def test_scores_become_probabilities_by_the_sigmoid(run):
    X, y = curved()
    found = run(X, y, learners=["rvfl"], strategies=["none", "class_weight"], cv=(3, 1))
    assert found.summary["problems"] == []
    cards = {each["id"]: each["calibration"] for each in found.summary["entries"]}
    for name in ("none/rvfl", "class_weight/rvfl"):
        assert cards[name]["repairs"] == ["sigmoid"]
        assert cards[name]["after"]["log_loss"] < 0.9 * cards[name]["before"]["log_loss"]
        assert abs(cards[name]["after"]["mean"] - y.mean()) < 0.03


@pytest.mark.parametrize("kind", ["classes", "stages"])
def test_several_classes(run, kind):
    X, y = curved()
    y = y + (X[:, 0] > 0)
    y = np.array(["low", "middle", "top"])[y]
    order = ["low", "middle", "top"] if kind == "stages" else None
    found = run(X, y, learners=["rvfl"], strategies=["none"], cv=(3, 1), ordered=order)
    assert found.summary["problems"] == []
    assert "none/rvfl" in {each["id"] for each in found.summary["entries"]}
