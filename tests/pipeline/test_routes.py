"""Which step is handed which argument, by name and by routing."""

import numpy as np
import pytest
from imblearn.base import BaseSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline import Pipeline
from imbkit.pipeline._flatten import flatten
from imbkit.pipeline._routes import hand_out
from imbkit.sampling import SMOTE


def handed(pipeline, method="fit", **given):
    """What each step is handed, without those that are handed nothing."""
    everything = hand_out(pipeline, flatten(pipeline), method, given)
    names = [leaf.name for leaf in flatten(pipeline)]
    some = {name: {c: dict(a) for c, a in everything[name].items() if a} for name in names}
    return {name: calls for name, calls in some.items() if calls}


@pytest.fixture
def pipeline(kept):
    inner = PlainPipeline([("scale", StandardScaler()), ("shift", kept.Shift())])
    return Pipeline([("inner", inner), ("over", SMOTE()), ("model", kept.Keeper())])


def test_a_bare_name_goes_to_every_step_that_names_it(pipeline):
    assert handed(pipeline, sample_weight=1) == {
        "inner__scale": {"fit_transform": {"sample_weight": 1}},
        "inner__shift": {"fit_transform": {"sample_weight": 1}},
        "model": {"fit": {"sample_weight": 1}},
    }
    assert handed(pipeline, amount=1, groups=2) == {"model": {"fit": {"amount": 1, "groups": 2}}}


def test_the_closest_address_wins(pipeline):
    given = {"inner__shift__sample_weight": 3, "sample_weight": 1, "inner__sample_weight": 2}
    assert handed(pipeline, **given) == {
        "inner__scale": {"fit_transform": {"sample_weight": 2}},
        "inner__shift": {"fit_transform": {"sample_weight": 3}},
        "model": {"fit": {"sample_weight": 1}},
    }


def test_names_with_underscores_go_to_the_step_whole(pipeline):
    assert handed(pipeline, model__a__b=1) == {"model": {"fit": {"a__b": 1}}}
    assert handed(pipeline, over__amount=1) == {"over": {"fit_resample": {"amount": 1}}}


def test_the_method_that_is_called_is_handed_the_argument(kept):
    chain = Pipeline([("plain", kept.Plain()), ("model", kept.Keeper())])
    assert handed(chain, "fit_predict", sample_weight=1) == {
        "model": {"fit_predict": {"sample_weight": 1}}
    }
    assert handed(chain, plain__extra=1) == {"plain": {"fit": {"extra": 1}}}
    assert handed(Pipeline([("k", KMeans())]), "fit_transform", sample_weight=1) == {
        "k": {"fit_transform": {"sample_weight": 1}}
    }


def test_a_fit_transform_that_passes_nothing_on_takes_nothing(kept):
    class Closed(kept.Shift):
        def fit_transform(self, X, y=None):
            return self.fit(X, y).transform(X)

    chain = Pipeline([("closed", Closed()), ("model", kept.Keeper())])
    assert handed(chain, sample_weight=1) == {"model": {"fit": {"sample_weight": 1}}}


def test_an_idle_step_takes_nothing(pipeline):
    pipeline.set_params(inner="passthrough")
    assert handed(pipeline, inner__extra=1) == {}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("modle__sample_weight", r"Got modle__sample_weight.*Did you mean model\?"),
        ("inner__shfit__by", r"Did you mean inner__shift"),
        ("weight", r"weight must be named by the fit.*inner__scale \(StandardScaler\).*model__wei"),
        ("inner__groups", r"inner__groups must be named.*write inner__shift__groups"),
        ("eval_metric", "eval_metric must be named"),
    ],
)
def test_what_is_for_no_step_is_refused(pipeline, key, words):
    with pytest.raises(InvalidParameterError, match=f"^Pipeline: .*{words}"):
        handed(pipeline, **{key: 1})


def test_samplers_that_carry_are_no_takers(kept, data):
    X, y, weight = data
    chain = Pipeline([("over", SMOTE()), ("model", kept.Heedless())])
    with pytest.raises(InvalidParameterError, match="sample_weight must be named by the fit"):
        chain.fit(X, y, sample_weight=weight)
    # But they need no taker to resample for their own sake.
    assert handed(Pipeline([("over", SMOTE())]), "fit_resample", sample_weight=1) == {}


class CostSampler(BaseSampler):
    _sampling_type = "bypass"

    def fit_resample(self, X, y, cost=None):
        self.cost_ = cost
        return X, y

    def _fit_resample(self, X, y, **params):
        """Not called."""


def test_a_sampler_that_names_an_argument_takes_it(kept):
    chain = Pipeline([("under", CostSampler()), ("model", kept.Heedless())])
    assert handed(chain, cost=1) == {"under": {"fit_resample": {"cost": 1}}}


def test_routing_goes_to_those_who_request(routing, kept, pipeline):
    pipeline["model"].set_fit_request(sample_weight="w", groups=True)
    pipeline["inner"]["shift"].set_fit_request(sample_weight=True)
    pipeline["inner"]["scale"].set_fit_request(sample_weight=False)
    assert handed(pipeline, w=1, groups=2, sample_weight=3) == {
        "inner__shift": {"fit_transform": {"sample_weight": 3}},
        "model": {"fit": {"sample_weight": 1, "groups": 2}},
    }
    with pytest.raises(TypeError, match="nosuch"):
        handed(pipeline, nosuch=1)


def test_routing_needs_no_request_of_a_sampler_that_carries(routing, kept):
    model = LogisticRegression().set_fit_request(sample_weight=True)
    chain = Pipeline([("over", SMOTE()), ("model", model)])
    assert handed(chain, sample_weight=1) == {"model": {"fit": {"sample_weight": 1}}}
    chain["over"].set_fit_resample_request(sample_weight="w")
    assert handed(chain, sample_weight=1, w=2) == {
        "over": {"fit_resample": {"sample_weight": 2}},
        "model": {"fit": {"sample_weight": 1}},
    }


def test_the_router_of_a_nested_pipeline_at_the_end(routing, kept):
    model = kept.Keeper().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    inner = Pipeline([("shift", kept.Shift().set_fit_request(sample_weight=False)), ("m", model)])
    outer = Pipeline([("under", RandomUnderSampler()), ("inner", inner)])
    router = get_routing_for_object(outer)
    for method in ("fit", "score"):
        assert router.consumes(method, ["sample_weight"]) == {"sample_weight"}
        assert router.consumes(method, ["groups"]) == set()
    assert router.consumes("predict", ["sample_weight"]) == set()


def test_metadata_in_prediction_reach_every_transformer(routing, kept, data):
    class Times(kept.Plain):
        def transform(self, X, factor=1.0):
            return X * factor

    def times():
        return Times().set_transform_request(factor=True)

    X, y, _ = data
    last = Pipeline([("second", times()), ("model", kept.Keeper())])
    outer = Pipeline([("inner", Pipeline([("first", times())])), ("last", last)])
    outer.fit(X, y).predict(X, factor=3.0)
    np.testing.assert_allclose(last["model"].predicted_on_, 9.0 * X)
    transformers = Pipeline([("first", times()), ("inner", Pipeline([("second", times())]))])
    np.testing.assert_allclose(transformers.fit(X, y).transform(X, factor=3.0), 9.0 * X)


def test_weighted_scores(kept, data):
    X, y, _ = data
    weight = np.where(y == 1, 5.0, 1.0)
    for chain in (
        Pipeline([("shift", kept.Shift()), ("model", kept.Keeper())]),
        Pipeline([("nested", Pipeline([("shift", kept.Shift()), ("model", kept.Keeper())]))]),
    ):
        share = np.average(chain.fit(X, y).predict(X) == y, weights=weight)
        assert chain.score(X, y, sample_weight=weight) == pytest.approx(share)
        assert chain.score(X, y) != pytest.approx(share)


def test_weighted_scores_by_routing(routing, kept, data):
    X, y, _ = data
    weight = np.where(y == 1, 5.0, 1.0)
    model = kept.Keeper().set_score_request(sample_weight=True)
    chain = Pipeline([("over", SMOTE()), ("nested", Pipeline([("model", model)]))]).fit(X, y)
    share = np.average(chain.predict(X) == y, weights=weight)
    assert chain.score(X, y, sample_weight=weight) == pytest.approx(share)
