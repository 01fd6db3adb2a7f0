"""What ships answers exactly as the model, and the model stays as it was."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedBaggingClassifier, RUSBoostClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline as OurPipeline
from imbkit.pipeline import deployable
from imbkit.thresholds import ThresholdClassifierCV

X, y = make_classification(300, weights=[0.85], random_state=0)
METHODS = ("predict", "predict_proba", "decision_function")


def samplers_in(model):
    """Every sampler that the steps of a pipeline, or what holds one, still have."""
    steps = [step for _, step in getattr(model, "steps", [])]
    held = [getattr(model, name, None) for name in ("estimator", "estimator_")]
    inner = [each for each in (*steps, *held) if each is not None and not isinstance(each, str)]
    return [m for m in inner if hasattr(m, "fit_resample")] + [
        found for each in inner for found in samplers_in(each)
    ]


MODELS = {
    "smote": make_pipeline(SMOTE(random_state=0), LogisticRegression()),
    "under": make_pipeline(StandardScaler(), RandomUnderSampler(random_state=0), LinearSVC()),
    "smote_enn": make_pipeline(SMOTEENN(random_state=0), DecisionTreeClassifier(random_state=0)),
    "ensemble": BalancedBaggingClassifier(n_estimators=3, random_state=0),
    "boosted": RUSBoostClassifier(n_estimators=3, random_state=0),
    "threshold": ThresholdClassifierCV(make_pipeline(SMOTE(random_state=0), LogisticRegression())),
    "margin": ThresholdClassifierCV(make_pipeline(RandomUnderSampler(random_state=0), LinearSVC())),
    "ours": OurPipeline([("s", StandardScaler()), ("o", RandomOverSampler()), ("m", LinearSVC())]),
    "nested": Pipeline([("a", StandardScaler()), ("b", ThresholdClassifierCV(LinearSVC()))]),
    "never": ThresholdClassifierCV(LogisticRegression(), "precision"),
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1)])
def test_the_answers_are_equal_and_the_model_is_untouched(model, labels):
    positive = {name: labels[1] for name in model.get_params() if name.endswith("pos_label")}
    model = clone(model).set_params(**positive).fit(X, np.array(labels)[y])
    before = pickle.dumps(model)
    shipped = deployable(model, X)
    assert pickle.dumps(model) == before
    if shipped is not model:
        assert type(shipped).__module__.startswith("sklearn.")
        assert samplers_in(shipped) == []
    compared = [method for method in METHODS if hasattr(model, method)]
    assert len(compared) >= 2
    for method in METHODS:
        assert hasattr(shipped, method) == hasattr(model, method)
    for method in compared:
        np.testing.assert_array_equal(getattr(shipped, method)(X), getattr(model, method)(X))


def test_nested_pipelines_lose_their_samplers_and_nothing_else():
    def over():
        return RandomOverSampler(random_state=0)

    only = OurPipeline([("over", over()), ("again", OurPipeline([("over", over())]))])
    scaled = OurPipeline([("scale", StandardScaler()), ("over", SMOTE(random_state=0))])
    last = OurPipeline([("under", RandomUnderSampler(random_state=0)), ("model", LinearSVC())])
    steps = [("only", only), ("scaled", scaled), ("idle", "passthrough"), ("last", last)]
    model = OurPipeline(steps).fit(X, y)
    shipped = deployable(model, X)
    assert type(shipped) is type(shipped["scaled"]) is type(shipped["last"]) is Pipeline
    assert list(shipped.named_steps) == ["scaled", "idle", "last"]
    assert list(shipped["scaled"].named_steps) == ["scale"]
    assert shipped["scaled"]["scale"] is scaled["scale"]
    assert list(shipped["last"].named_steps) == ["model"]
    assert samplers_in(shipped) == []
    # The scaler matters: without it the comparison would have failed.
    assert np.any(shipped.predict(X) != last.predict(X))


@pytest.mark.parametrize("name", ["ensemble", "boosted"])
def test_ensembles_ship_whole(name):
    model = clone(MODELS[name]).fit(X, y)
    assert deployable(model, X) is model
    held = deployable(ThresholdClassifierCV(model, cv="prefit", refit=False).fit(X, y), X)
    assert held.estimator.estimator is model


def test_a_threshold_ships_as_scikit_learns_own():
    model = clone(MODELS["threshold"]).fit(X, y)
    shipped = deployable(model)
    assert type(shipped) is FixedThresholdClassifier
    assert shipped.threshold == model.threshold_
    assert np.any(shipped.predict(X) != shipped.estimator.predict(X))


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_with_categories(kind):
    rng = np.random.default_rng(0)
    columns = {"amount": rng.normal(size=300), "country": rng.choice(["a", "b", "c"], 300)}
    frame = pd.DataFrame(columns) if kind == "pandas" else pl.DataFrame(columns)
    coded = make_column_transformer(
        (OrdinalEncoder(), ["country"]), remainder="passthrough", sparse_threshold=0
    )
    boosting = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0])
    under = RandomUnderSampler(random_state=0)
    one_hot = make_column_transformer((OneHotEncoder(), ["country"]), remainder="passthrough")
    for model in (
        make_pipeline(coded, under, boosting),
        ThresholdClassifierCV(make_pipeline(one_hot, SMOTE(random_state=0), LogisticRegression())),
    ):
        shipped = deployable(model.fit(frame, y), frame)
        assert samplers_in(shipped) == []
        np.testing.assert_array_equal(shipped.predict(frame), model.predict(frame))
        np.testing.assert_array_equal(shipped.predict_proba(frame), model.predict_proba(frame))


class Wandering(ClassifierMixin, BaseEstimator):
    """Ships something else than itself: another answer, another shape, or less."""

    def __init__(self, ships="other"):
        self.ships = ships

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.arange(len(X)) % 2

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)

    def __deploy__(self):
        shipped = {"other": Other(), "longer": Longer(), "mute": Mute(), "same": Same()}
        return shipped[self.ships].fit(X, y)


class Same(Wandering):
    __deploy__ = None


class Other(Wandering):
    def predict(self, X):
        return np.where(np.arange(len(X)) < 2, 7, np.arange(len(X)) % 2)


class Longer(Wandering):
    def predict(self, X):
        return np.zeros(len(X) + 1)


class Mute(Wandering):
    predict_proba = property()


@pytest.mark.parametrize(
    ("ships", "words"),
    [
        ("other", "predict must be exactly equal before and after. Got 2 other values of 300"),
        ("longer", r"predict must be.*Got shape \(301,\) instead of \(300,\)"),
        ("mute", "predict_proba must be.*Got a Mute without this method"),
    ],
)
def test_what_answers_otherwise_is_not_shipped(ships, words):
    model = Wandering(ships).fit(X, y)
    with pytest.raises(InvalidParameterError, match=f"^deployable: {words}"):
        deployable(model, X)
    assert type(deployable(model)).__name__ == ships.title()  # nothing to compare on


def test_equal_gaps_are_equal():
    assert type(deployable(Wandering("same").fit(X, y), X)) is Same


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        ThresholdClassifierCV(LogisticRegression()),
        make_pipeline(SMOTE(), LogisticRegression()),
        SamplingPipeline([("model", Wandering())]),
    ],
)
def test_an_unfitted_model_is_refused(model):
    with pytest.raises(NotFittedError, match=r"^deployable: the model must be fitted.*Call fit"):
        deployable(model)


@pytest.mark.parametrize("model", [LogisticRegression, None, "model", X])
def test_what_is_no_estimator_is_refused(model):
    with pytest.raises(InvalidParameterError, match=r"^deployable: the model must be a fitted est"):
        deployable(model)


def test_what_cannot_ship_says_why():
    class Refusing(Wandering):
        def __deploy__(self):
            raise InvalidParameterError("Refusing: the costs differ by row")

    model = Pipeline([("model", Refusing())]).fit(X, y)
    with pytest.raises(InvalidParameterError, match="costs differ by row"):
        deployable(model, X)
