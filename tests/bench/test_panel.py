"""The panel: every pair builds, fits and predicts on a table with everything in it."""

import imblearn.over_sampling
import imblearn.under_sampling
import numpy as np
import pytest
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from imbkit import sampling
from imbkit.bench._cell import seed_estimator
from imbkit.bench._panel import (
    LEARNERS,
    NATIVE_LEVELS,
    QUICK_STRATEGIES,
    STRATEGIES,
    CannotBuildError,
    Learner,
    Strategy,
    Task,
    check_weighted,
    learner_names,
    outside_limits,
    resolve_learner,
    resolve_strategy,
    strategy_names,
)
from imbkit.exceptions import InvalidParameterError

TASK = Task("binary", (0, 2), (1,), missing=True, n_train=200, fewest=30)


def mixed(n_rows=200, seed=0, levels=4):
    """Two numbers around a category, all with missing values."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < 0.25).astype(int)
    X = rng.normal(size=(n_rows, 3)) + y[:, None]
    X[:, 1] = rng.integers(0, levels, n_rows)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_pair_fits_and_predicts(strategy, learner):
    X, y = mixed()
    model = seed_estimator(STRATEGIES[strategy].build(LEARNERS[learner], TASK), 0).fit(X, y)
    new, _ = mixed(50, seed=1, levels=9)
    new[0] = np.nan
    chances = model.predict_proba(new)
    assert chances.shape == (50, 2)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert np.ptp(chances[:, 1]) > 0.1


@pytest.mark.parametrize("learner", LEARNERS.values())
@pytest.mark.parametrize(
    ("numbers", "categories"), [((0, 1, 2), ()), ((), (1,)), ((2,), (1,))], ids=str
)
def test_tables_of_one_kind(learner, numbers, categories):
    X, y = mixed()
    columns = [*numbers, *categories]
    X = X[:, columns]
    task = Task(
        "binary",
        tuple(range(len(numbers))),
        tuple(range(len(numbers), len(columns))),
        missing=bool(numbers),
        n_train=200,
        fewest=30,
    )
    for name, strategy in STRATEGIES.items():
        if name == "smote_enn" and not numbers:
            continue  # Among few distinct rows its cleaning may leave one class alone.
        model = seed_estimator(strategy.build(learner, task), 0)
        assert model.fit(X, y).predict(X).shape == (200,)


class Counter(ClassifierMixin, BaseEstimator):
    """Keeps the class counts that it was fitted on."""

    def __init__(self, class_weight=None):
        self.class_weight = class_weight

    def fit(self, X, y):
        self.classes_, self.counts_ = np.unique(y, return_counts=True)
        return self

    def predict(self, X):
        return self.classes_[:1].repeat(len(X))


def test_what_the_model_sees_under_each_strategy():
    X, y = mixed()
    common, rare = np.bincount(y)
    learner = Learner("counter", "counter", Counter())
    seen = {}
    for name, strategy in STRATEGIES.items():
        model = seed_estimator(strategy.build(learner, TASK), 0).fit(X, y)[-1]
        seen[name] = model
    assert seen["none"].counts_.tolist() == seen["class_weight"].counts_.tolist() == [common, rare]
    assert (seen["none"].class_weight, seen["class_weight"].class_weight) == (None, "balanced")
    assert seen["random_under"].counts_.tolist() == [rare, rare]
    assert seen["random_over"].counts_.tolist() == seen["smote"].counts_.tolist() == [common] * 2
    assert max(seen["smote_enn"].counts_) <= common
    assert sum(seen["smote_enn"].counts_) < 2 * common
    for member in seen["under_ensemble"].estimators_:
        assert isinstance(member[-1], Counter)
        assert np.ptp(member[-1].counts_) == 0


def test_preparation_is_learnt_from_the_rows_of_fit_alone():
    X, y = mixed()
    model = STRATEGIES["none"].build(LEARNERS["logistic"], TASK).fit(X[:100], y[:100])
    numbers = model.named_steps["columns"].named_transformers_["numbers"]
    np.testing.assert_allclose(
        numbers.named_steps["simpleimputer"].statistics_, np.nanmedian(X[:100][:, [0, 2]], axis=0)
    )


def test_more_levels_than_boosting_can_tell_apart():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 700, 1500), rng.normal(size=1500)])
    X[:5, 0] = np.nan
    y = (X[:, 1] > 0).astype(int)
    task = Task("binary", (1,), (0,), missing=False, n_train=1500, fewest=500)
    model = LEARNERS["hist_gradient_boosting"].pipeline(task).fit(X, y)
    codes = model.named_steps["columns"].transform(X)[:, 1]
    assert np.unique(codes[~np.isnan(codes)]).size <= NATIVE_LEVELS
    assert np.isnan(codes[:5]).all()
    assert model.score(X, y) > 0.9


def test_categories_of_boosting_are_those_of_the_task():
    X, y = mixed()
    model = LEARNERS["hist_gradient_boosting"].pipeline(TASK).fit(X, y)
    assert model.named_steps["model"].is_categorical_.tolist() == [False, False, True]


def test_nothing_to_prepare():
    task = Task("binary", (0, 1, 2), (), missing=True, n_train=200, fewest=30)
    assert list(LEARNERS["hist_gradient_boosting"].pipeline(task).named_steps) == ["model"]
    part = Task("binary", (0, 2), (), missing=True, n_train=200, fewest=30, complete=False)
    X, y = mixed()
    model = LEARNERS["hist_gradient_boosting"].pipeline(part).fit(X, y)
    assert model.named_steps["model"].n_features_in_ == 2


@pytest.mark.parametrize("strategy", ["smote", "smote_enn"])
@pytest.mark.parametrize(("fewest", "k"), [(2, 1), (4, 3), (6, 5), (500, 5)])
def test_smote_takes_fewer_neighbours_for_a_tiny_class(strategy, fewest, k):
    task = Task("binary", (0, 1), (), missing=False, n_train=100, fewest=fewest)
    model = STRATEGIES[strategy].build(LEARNERS["logistic"], task)
    sampler = model.named_steps["sampler"]
    smote = sampler if strategy == "smote" else sampler.smote
    assert smote.k_neighbors == k
    n_rows = max(fewest, 2)
    X = np.random.default_rng(0).normal(size=(50 + n_rows, 2))
    model.fit(X, np.repeat([0, 1], [50 + n_rows - fewest, fewest]))


@pytest.mark.parametrize("strategy", ["smote", "smote_enn"])
def test_smote_needs_a_neighbour(strategy):
    task = Task("binary", (0, 1), (), missing=False, n_train=100, fewest=1)
    with pytest.raises(CannotBuildError, match="SMOTE needs 2 rows"):
        STRATEGIES[strategy].build(LEARNERS["logistic"], task)


@pytest.mark.parametrize(
    ("n_train", "fewest", "words"),
    [
        (30_000, 2, ""),
        (30_001, 2, "left out above 30,000 training rows (here 30,001)"),
        (100, 1, "the rarest has 1"),
    ],
)
def test_limits(n_train, fewest, words):
    task = Task("binary", (0,), (), missing=False, n_train=n_train, fewest=fewest)
    slow = Strategy("slow", STRATEGIES["none"].build, needs={"class_rows": 2, "rows": 30_000})
    reason = outside_limits(slow, task)
    assert words in reason
    assert bool(reason) == bool(words)
    assert outside_limits(STRATEGIES["none"], task) == ""


def test_class_weight_needs_the_parameter():
    bayes = resolve_learner(GaussianNB())
    with pytest.raises(CannotBuildError, match="GaussianNB has no parameter class_weight"):
        STRATEGIES["class_weight"].build(bayes, TASK)


def test_building_leaves_the_learner_alone():
    model = LogisticRegression()
    learner = Learner("own", "own", model)
    STRATEGIES["class_weight"].build(learner, TASK)
    STRATEGIES["under_ensemble"].build(learner, TASK).fit(*mixed())
    assert model.class_weight is None
    assert not hasattr(model, "coef_")


def test_names():
    assert [name for name, _ in strategy_names()] == list(STRATEGIES)
    assert [name for name, _ in learner_names()] == list(LEARNERS)
    assert set(QUICK_STRATEGIES) <= set(STRATEGIES)
    assert next(iter(STRATEGIES)) == "none"
    assert not STRATEGIES["none"].changes_prior


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("SMOTEENN", sampling.SMOTEENN),
        ("SVMSMOTE", imblearn.over_sampling.SVMSMOTE),
        ("imblearn.over_sampling:RandomOverSampler", RandomOverSampler),
        ("imblearn.over_sampling.SMOTE", SMOTE),
        (SMOTE(k_neighbors=2), SMOTE),
    ],
)
def test_samplers_by_class_name_path_and_object(given, kind):
    strategy = resolve_strategy(given)
    assert strategy.name == kind.__name__
    sampler = strategy.build(LEARNERS["hist_gradient_boosting"], TASK).named_steps["sampler"]
    assert type(sampler) is kind
    assert sampler is not given
    strategy.build(LEARNERS["hist_gradient_boosting"], TASK).fit(*mixed())


def test_meta_estimators_wrap_the_model():
    strategy = resolve_strategy(BalancedBaggingClassifier(n_estimators=3))
    model = strategy.build(LEARNERS["logistic"], TASK).named_steps["model"]
    assert model.n_estimators == 3
    assert isinstance(model.estimator, LogisticRegression)
    assert resolve_strategy("EasyEnsembleClassifier").name == "EasyEnsembleClassifier"


@pytest.mark.parametrize(
    ("given", "native"),
    [
        ("sklearn.tree:DecisionTreeClassifier", False),
        (HistGradientBoostingClassifier(max_iter=5), True),
    ],
)
def test_learners_by_path_and_object(given, native):
    learner = resolve_learner(given)
    assert learner.native == native
    assert type(learner.model) in (DecisionTreeClassifier, HistGradientBoostingClassifier)
    learner.pipeline(TASK).fit(*mixed())


def test_strategies_and_learners_as_they_are():
    own = Strategy("own", lambda learner, task: clone(learner.model))
    assert resolve_strategy(own) is own
    assert resolve_learner(LEARNERS["logistic"]) is LEARNERS["logistic"]
    assert resolve_strategy("smote") is STRATEGIES["smote"]


@pytest.mark.parametrize(
    ("resolve", "given", "words"),
    [
        (resolve_strategy, "smot", "Did you mean 'smote'"),
        (resolve_strategy, "sklearn.tree:Nothing", "must lead to something that exists"),
        (resolve_strategy, LogisticRegression(), "sampler or a classifier with `estimator`"),
        (resolve_strategy, None, "a strategy must be"),
        (resolve_strategy, "SMOTENC", "made with their default parameters"),
        (resolve_learner, "logistc", "Did you mean 'logistic'"),
        (resolve_learner, StandardScaler(), "a learner must be"),
        (resolve_learner, "nothing.there:Name", "must lead to something that exists"),
        (resolve_learner, DecisionTreeClassifier, "a learner must be"),
    ],
)
def test_what_cannot_be_found(resolve, given, words):
    with pytest.raises(InvalidParameterError, match=words):
        resolve(given)


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "under_ensemble"])
def test_weights_reach_the_model_through_every_sampler(strategy):
    estimator = STRATEGIES[strategy].build(LEARNERS["logistic"], TASK)
    check_weighted(estimator)
    X, y = mixed()
    heavy = np.where(y == 1, 50.0, 1.0)
    seen = {}

    class Recorder(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.update(X=X, y=y, weight=sample_weight)
            return super().fit(X, y, sample_weight)

    estimator.steps[-1] = ("model", Recorder())
    estimator.fit(X, y, model__sample_weight=heavy)
    # Rows made between rows of a class weigh what those weigh.
    np.testing.assert_array_equal(seen["weight"], np.where(seen["y"] == 1, 50.0, 1.0))


@pytest.mark.parametrize(
    ("sampler", "fits"),
    [(imblearn.over_sampling.SMOTE(), False), (imblearn.under_sampling.TomekLinks(), True)],
)
def test_a_peers_sampler_keeps_weights_only_if_it_copies_rows(sampler, fits):
    estimator = LEARNERS["logistic"].pipeline(TASK, sampler=sampler, distances=True)
    if fits:
        check_weighted(estimator)
    else:
        with pytest.raises(CannotBuildError, match="SMOTE makes new rows without weights"):
            check_weighted(estimator)


def test_a_model_that_takes_no_weights_is_named():
    check_weighted(DecisionTreeClassifier())
    for model in (Counter(), LEARNERS["logistic"].pipeline(TASK, wrap=lambda _: Counter())):
        with pytest.raises(CannotBuildError, match="Counter takes no sample_weight"):
            check_weighted(model)


def test_an_ensemble_of_resampled_members_would_lose_weights_too():
    estimator = STRATEGIES["under_ensemble"].build(LEARNERS["logistic"], TASK)
    with pytest.raises(CannotBuildError, match="BalancedBaggingClassifier takes no sample_weight"):
        check_weighted(estimator)
