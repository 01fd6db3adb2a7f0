"""The search over C: what a grid search finds, by sums of folds."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from imbkit.exceptions import ImbkitWarning
from imbkit.metrics import get_scorer, gmean_score
from imbkit.rvfl import RVFLClassifier, RVFLClassifierCV
from imbkit.rvfl import _fold_sums as module

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
Y = np.digitize(X[:, 0] + 0.7 * RNG.normal(size=240), [0.3, 1.2])
CS = [10.0, 0.01, 100.0, 1.0]


@pytest.mark.parametrize(
    "cv",
    [
        3,
        StratifiedShuffleSplit(3, test_size=0.3, random_state=0),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        [(np.r_[:200, :30], np.arange(150, 240)), (np.r_[60:240], np.arange(60))],
    ],
    ids=["folds", "shuffled", "repeated", "rows twice"],
)
@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_it_is_a_grid_search(cv, class_weight):
    settings = {"class_weight": class_weight, "n_hidden": 12, "random_state": 0}
    model = RVFLClassifierCV(CS, cv=cv, chunk_size=50, **settings).fit(X, Y)
    inner = RVFLClassifier(solver="primal", **settings)
    grid = {"C": sorted(CS)}
    known = GridSearchCV(inner, grid, cv=cv, scoring=get_scorer("gmean")).fit(X, Y)
    folds = [k for k in known.cv_results_ if k.startswith("split")]
    assert_allclose(model.cv_scores_, np.array([known.cv_results_[k] for k in folds]).T)
    assert model.C_ == known.best_params_["C"]
    assert_allclose(model.coef_, known.best_estimator_.coef_, rtol=1e-8, atol=1e-11)
    assert_allclose(model.coef_path(CS), known.best_estimator_.coef_path(CS), rtol=1e-8, atol=1e-8)
    assert_allclose(model.regularization_, known.best_estimator_.regularization_)
    assert_array_equal(model.predict(X), known.predict(X))


def test_folds_share_one_pass(monkeypatch):
    passes = []
    chunks = module.HiddenLayer.chunks
    monkeypatch.setattr(
        module.HiddenLayer,
        "chunks",
        lambda self, X, *rest: passes.append(X.shape[0]) or chunks(self, X, *rest),
    )
    RVFLClassifierCV(30, 8, cv=4, random_state=0).fit(X, Y)
    # All rows for the sums, then every fold's test rows once.
    assert passes == [240, 60, 60, 60, 60]
    # Where folds cut the rows into many parts, a pass for each takes less memory.
    passes.clear()
    RVFLClassifierCV(3, 8, cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=2)).fit(X, Y)
    assert passes == 11 * [240] + 10 * [48]


def test_few_scores_are_held_at_a_time(monkeypatch):
    from imbkit.rvfl import _rvfl_cv

    known = RVFLClassifierCV(7, 8, cv=3, random_state=0).fit(X, Y)
    monkeypatch.setattr(_rvfl_cv, "_CELLS", 500)
    model = RVFLClassifierCV(7, 8, cv=3, random_state=0).fit(X, Y)
    assert_allclose(model.cv_scores_, known.cv_scores_)


def test_of_equals_the_strongest_ridge_is_taken():
    model = RVFLClassifierCV(CS, 8, cv=3, scoring=lambda model, X, y: 0.5, random_state=0)
    assert model.fit(X, Y).C_ == min(CS)


def test_weights_enter_fits_and_scores():
    weights = RNG.integers(0, 3, 240)
    cv = StratifiedKFold(3)
    model = RVFLClassifierCV(CS, 8, cv=cv, random_state=0).fit(X, Y, weights)
    scores = np.zeros((4, 3))
    for at, (train, test) in enumerate(cv.split(X, Y)):
        one = RVFLClassifier(8, class_weight="balanced", random_state=0)
        path = one.fit(X[train], Y[train], weights[train]).coef_path(sorted(CS))
        for row, one.coef_ in enumerate(path):
            predicted = one.predict(X[test])
            scores[row, at] = gmean_score(Y[test], predicted, sample_weight=weights[test])
    assert_allclose(model.cv_scores_, scores)
    with pytest.warns(ImbkitWarning, match="scorer should take sample_weight.*not the scores"):
        RVFLClassifierCV(2, 8, scoring=lambda model, X, y: 0.5).fit(X, Y, weights)


def test_groups_shares_and_other_scores():
    groups = np.arange(240) // 4
    model = RVFLClassifierCV(3, 8, cv=GroupKFold(3), scoring="roc_auc_ovr", random_state=0)
    assert model.fit(X, Y, groups=groups).cv_scores_.shape == (3, 3)
    model = RVFLClassifierCV(3, 8, cv=0.25, scoring="log_loss").fit(X, Y == 2)
    assert model.cv_scores_.shape == (3, 1)
    assert (model.cv_scores_ < 0).all()
    assert model.fit(sparse.csr_array(X), Y).cv_scores_.shape == (3, 1)
    assert_allclose(model.Cs_, [1e-4, 1, 1e4])


def test_it_pickles_and_has_no_partial_fit():
    model = RVFLClassifierCV(3, 8, cv=2, random_state=0).fit(X, Y)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.coef_path(CS), model.coef_path(CS))
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert not hasattr(model, "partial_fit")
    assert np.isnan(model.effective_prior_).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"Cs": [1.0, 0.0]}, "Cs must be a list of finite numbers above 0"),
        ({"Cs": []}, "Cs must be a list of finite numbers above 0"),
        ({"Cs": [[1.0]]}, "Cs must be a list of finite numbers above 0"),
        ({"Cs": ["a"]}, "Cs must be a list of finite numbers above 0"),
        ({"Cs": 0}, "Cs"),
        ({"scoring": "gmeen"}, "scoring must be a name.*gmeen.*Did you mean gmean"),
        ({"scoring": "?"}, "scoring must be a name.*Use 'gmean'"),
        ({"scoring": lambda model, X, y: np.nan}, "finite number for every fold. Got none in fold"),
        ({"cv": 300}, "rows must suffice for the splits that cv asks for"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        RVFLClassifierCV(**{"Cs": 2, "n_hidden": 5, **settings}).fit(X, Y)


def test_folds_without_weight():
    weights = np.ones(240)
    first = np.arange(240) < 80
    weights[~first & (Y == 2)] = 0.0
    folds = [(np.flatnonzero(~first), np.flatnonzero(first))]
    with pytest.raises(ValueError, match="of positive weight of every class. Got none of class 2"):
        RVFLClassifierCV(2, 5, cv=folds).fit(X, Y, weights)
    with pytest.raises(ValueError, match="every test fold must hold rows of positive weight"):
        RVFLClassifierCV(2, 5, cv=folds).fit(X, Y, np.where(first, 0.0, 1.0))
