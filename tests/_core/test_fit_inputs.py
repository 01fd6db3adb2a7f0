"""Who gets which keyword argument of ``fit``."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from imbkit._core.fit_inputs import fit_inputs
from imbkit.exceptions import ImbkitWarning, InvalidParameterError
from imbkit.pipeline import make_pipeline as make_carrying_pipeline
from imbkit.sampling import RandomUnderSampler

WEIGHT = np.arange(1.0, 5.0)


class Owner(MetaEstimatorMixin, BaseEstimator):
    """A meta-estimator with a splitter."""

    __metadata_request__fit = {"sample_weight": True}

    def __init__(self, estimator, cv=None):
        self.estimator = estimator
        self.cv = cv

    def fit(self, X, y, sample_weight=None, **params):
        return self

    def own_request(self):
        return super().get_metadata_routing()

    def get_metadata_routing(self):
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        to_split = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self.own_request())
        router = router.add(estimator=self.estimator, method_mapping=to_fit)
        return router.add(splitter=self.cv, method_mapping=to_split)


def inputs(estimator, weight=None, cv=None, own_names=(), **params):
    owner = Owner(estimator, cv)
    return fit_inputs(owner, owner.own_request(), weight, params, own_names)


def test_by_name():
    given = inputs(LogisticRegression(), WEIGHT, own_names=["amount"], amount=1, groups="g")
    assert given.own_weight is WEIGHT
    assert given.estimator == {"sample_weight": WEIGHT}
    assert given.splitter == {"groups": "g"}


def test_an_estimator_without_weights():
    with pytest.warns(ImbkitWarning, match=r"weights enter Owner only\. Choose a learner"):
        given = inputs(KNeighborsClassifier(), WEIGHT)
    assert given.estimator == {}
    assert given.own_weight is WEIGHT


def test_a_pipeline_takes_prefixed_arguments():
    model = make_pipeline(LogisticRegression())
    given = inputs(model, logisticregression__sample_weight=WEIGHT)
    assert list(given.estimator) == ["logisticregression__sample_weight"]


def test_a_pipeline_of_this_package_hands_weights_on():
    for model in (
        make_carrying_pipeline(StandardScaler(), LogisticRegression()),
        make_carrying_pipeline(StandardScaler(), make_pipeline(LogisticRegression())),
        GridSearchCV(make_carrying_pipeline(LogisticRegression()), {}),
        GridSearchCV(LogisticRegression(), {}),
        RandomizedSearchCV(GridSearchCV(LogisticRegression(), {}), {}),
    ):
        assert inputs(model, WEIGHT).estimator == {"sample_weight": WEIGHT}


@pytest.mark.parametrize(
    ("model", "todo"),
    [
        (make_pipeline(LogisticRegression()), "Take imbkit.pipeline.Pipeline, .* step__sample_w"),
        (make_carrying_pipeline(StandardScaler(), KNeighborsClassifier()), "Choose a learner"),
        (GridSearchCV(make_pipeline(LogisticRegression()), {}), "Choose a learner"),
        (GridSearchCV(KNeighborsClassifier(), {}), "Choose a learner"),
    ],
)
def test_what_does_not_hand_weights_on(model, todo):
    with pytest.warns(ImbkitWarning, match=todo):
        assert inputs(model, WEIGHT).estimator == {}


def test_handed_on_weights_are_those_of_the_last_step():
    """The same fit, whether a step is named or not; resampled on the way."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 4 == 0
    weight = rng.integers(1, 4, size=60).astype(float)
    steps = RandomUnderSampler(random_state=0), LogisticRegression()
    found = inputs(make_carrying_pipeline(*steps), weight).estimator
    model = make_carrying_pipeline(*steps).fit(X, y, **found)
    kept = model[0].sample_indices_
    plain = LogisticRegression().fit(X[kept], y[kept], sample_weight=weight[kept])
    np.testing.assert_allclose(model[-1].coef_, plain.coef_, rtol=1e-12)


def test_what_nobody_takes_is_refused():
    with pytest.raises(InvalidParameterError, match="LogisticRegression asks for. Got 'amount'"):
        inputs(LogisticRegression(), amount=1)
    with pytest.raises(InvalidParameterError, match="Owner itself .'cost'. or the estimator"):
        inputs(LogisticRegression(), own_names=["cost"], amount=1)


def test_by_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        asks = LogisticRegression().set_fit_request(sample_weight=True)
        given = inputs(asks, WEIGHT, GroupKFold(2), groups="g")
        assert given.estimator == {"sample_weight": WEIGHT}
        assert given.splitter == {"groups": "g"}
        assert given.own_weight is WEIGHT
        owner = Owner(LogisticRegression().set_fit_request(sample_weight=True), GroupKFold(2))
        owner.set_fit_request(sample_weight=False)
        unweighted = fit_inputs(owner, owner.own_request(), WEIGHT, {})
        assert unweighted.own_weight is None
        assert unweighted.estimator == {"sample_weight": WEIGHT}
