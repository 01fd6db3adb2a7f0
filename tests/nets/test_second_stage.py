"""Second stages: what they do to a last layer, and what a net does with them."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score
from torch import nn

from imbkit.exceptions import InvalidParameterError
from imbkit.nets import (
    BaseSecondStage,
    ClassifierRetraining,
    LearnableScaling,
    NearestClassMean,
    TauNormalization,
    TauNormalizedRetraining,
    WeightAlignment,
    get_second_stage,
)
from imbkit.nets._second_stage import Embedded, balanced_recall

STAGES = ("crt", "lws", "tau", "tau_crt", "ncm", "align")


@pytest.fixture(scope="module")
def layer():
    """A layer of three classes, and rows that it is for."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [80, 20, 6])
    embeddings = np.maximum(rng.normal(size=(106, 5)) + np.eye(3, 5)[codes] * 2, 0)
    return rng.normal(size=(3, 5)), rng.normal(size=3), Embedded(embeddings, codes)


class Scaled(BaseSecondStage):
    """Multiplies the layer by a number."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit_head(self, weight, bias, train, valid=None):
        return weight * self.factor, bias * self.factor, {"rows": len(train.codes)}


def test_tau_zero_and_scales_of_one_keep_the_layer(layer):
    weight, bias, rows = layer
    new, none, found = TauNormalization(tau=0.0).fit_head(weight, bias, rows)
    np.testing.assert_array_equal(new, weight)
    assert not none.any()
    assert found["tau"] == 0.0


def test_tau_one_makes_rows_of_length_one(layer):
    weight, bias, rows = layer
    new, _, _ = TauNormalization(tau=1.0).fit_head(weight, bias, rows)
    np.testing.assert_allclose(np.linalg.norm(new, axis=1), 1.0, rtol=1e-12)


def test_tau_is_chosen_on_the_rows_held_out(layer):
    weight, bias, rows = layer
    _, _, found = TauNormalization().fit_head(weight, bias, rows, rows)
    assert found["tau"] == found["taus"][np.argmax(found["balanced_accuracies"])]
    norms = np.linalg.norm(weight, axis=1)[:, None]
    every = [balanced_recall(weight / norms**t, bias * 0, rows) for t in np.linspace(0, 2, 21)]
    best = max(every)
    assert max(found["balanced_accuracies"]) == pytest.approx(best)
    assert TauNormalization().fit_head(weight, bias, rows)[2]["tau"] == 0.7


def test_learned_scales_are_at_a_minimum_of_the_balanced_loss(layer):
    weight, bias, rows = layer
    new, same, found = LearnableScaling().fit_head(weight, bias, rows)
    np.testing.assert_array_equal(same, bias)
    np.testing.assert_allclose(new, weight * found["scales"][:, None])

    def loss(scales):
        z = (rows.embeddings @ weight.T) * scales + bias
        p = softmax(z, axis=1)[np.arange(len(z)), rows.codes]
        return np.mean([-np.log(p[rows.codes == k]).mean() for k in range(3)])

    least = loss(found["scales"])
    assert least < loss(np.ones(3))
    for k in range(3):
        for step in (-0.02, 0.02):
            near = found["scales"] + step * np.eye(3)[k]
            assert near[k] < 0 or least <= loss(near) + 1e-9  # factors turn no class round


def test_retraining_treats_classes_alike(layer):
    weight, bias, rows = layer
    new, at, found = ClassifierRetraining().fit_head(weight, bias, rows, rows)
    # Of a balanced fit with free intercepts each class has the same mean probability as share.
    p = softmax(rows.embeddings @ new.T + at, axis=1)
    w = (1 / np.bincount(rows.codes))[rows.codes] / 3
    np.testing.assert_allclose(w @ p, np.full(3, 1 / 3), atol=1e-3)
    assert found["balanced_accuracy"][1] > found["balanced_accuracy"][0]


def test_retraining_of_two_classes_is_that_of_a_two_row_layer(layer):
    weight, bias, rows = layer
    two = Embedded(rows.embeddings[:100], rows.codes[:100])
    new, at, _ = ClassifierRetraining().fit_head(weight[:2], bias[:2], two)
    assert new.shape == (2, 5)
    np.testing.assert_allclose(new.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(at.sum(), 0, atol=1e-12)


def test_weights_of_rows_are_repetitions(layer):
    weight, bias, rows = layer
    counts = np.random.default_rng(1).integers(1, 4, len(rows.codes))
    again = np.repeat(np.arange(len(counts)), counts)
    weighted = Embedded(rows.embeddings, rows.codes, counts.astype(float))
    repeated = Embedded(rows.embeddings[again], rows.codes[again])
    for stage in (LearnableScaling(), NearestClassMean(), WeightAlignment()):
        one, two = (stage.fit_head(weight, bias, each)[0] for each in (weighted, repeated))
        np.testing.assert_allclose(one, two, rtol=1e-3)
    assert balanced_recall(weight, bias, weighted) == pytest.approx(
        balanced_recall(weight, bias, repeated)
    )


def test_nearest_mean_by_angle_and_by_distance(layer):
    weight, bias, rows = layer
    e, means = (
        rows.embeddings,
        np.stack([rows.embeddings[rows.codes == k].mean(0) for k in (0, 1, 2)]),
    )
    new, at, _ = NearestClassMean("euclidean").fit_head(weight, bias, rows)
    nearest = ((e[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (e @ new.T + at).argmax(axis=1).tolist() == nearest.tolist()
    new, at, _ = NearestClassMean().fit_head(weight, bias, rows)
    cosines = e @ means.T / np.linalg.norm(means, axis=1)
    np.testing.assert_allclose(e @ new.T + at, cosines, atol=1e-12)


def test_alignment_evens_the_lengths(layer):
    weight, bias, rows = layer
    new, same, _ = WeightAlignment("per_class").fit_head(weight, bias, rows)
    lengths = np.linalg.norm(new, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(weight, axis=1).mean())
    np.testing.assert_array_equal(same, bias)
    new, _, found = WeightAlignment().fit_head(weight, bias, rows)
    # Class 0 alone holds half of the rows.
    assert found["scales"][0] == 1.0
    rare = np.linalg.norm(new, axis=1)[1:].mean()
    assert rare == pytest.approx(np.linalg.norm(weight[0]))


def test_tau_of_the_retrained_layer_is_two_steps(layer):
    weight, bias, rows = layer
    first = ClassifierRetraining().fit_head(weight, bias, rows)
    second = TauNormalization(tau=0.5).fit_head(*first[:2], rows)
    both = TauNormalizedRetraining(tau=0.5).fit_head(weight, bias, rows)
    np.testing.assert_array_equal(both[0], second[0])


@pytest.mark.parametrize("name", STAGES)
def test_names(name):
    assert get_second_stage(name).names[0] == name
    assert get_second_stage(f" {name.upper().replace('_', '-')} ").names[0] == name


def test_bad_names_and_parameters():
    with pytest.raises(InvalidParameterError, match="Did you mean 'crt'"):
        get_second_stage("crtt")
    with pytest.raises(InvalidParameterError, match="Names are"):
        get_second_stage("?")
    with pytest.raises(InvalidParameterError, match="parameters are .C."):
        get_second_stage("crt", D=1)
    with pytest.raises(InvalidParameterError, match="has no parameters"):
        get_second_stage("lws", tau=1)
    with pytest.raises(InvalidParameterError, match="without further parameters"):
        get_second_stage(TauNormalization(), tau=1.0)
    for wrong in (lambda: TauNormalization(tau=-1.0), lambda: ClassifierRetraining(C=0.0),
                  lambda: NearestClassMean("near"), lambda: WeightAlignment("all")):  # fmt: skip
        with pytest.raises(InvalidParameterError):
            wrong()


# --- within a net


def test_factors_of_one_reproduce_the_trained_net(net, rare):
    X, y = rare
    plain = net(predict_prior="train").fit(X, y)
    staged = net(two_stage=Scaled(), predict_prior="train").fit(X, y)
    np.testing.assert_allclose(staged.net_.outputs(staged._encoded(X, {})),
                               plain.net_.outputs(plain._encoded(X, {})), rtol=1e-6)  # fmt: skip
    assert staged.second_stage_ == {"rows": len(plain._split[0])}


def test_the_scale_of_a_loss_is_no_part_of_the_new_layer(net, rare):
    X, y = rare
    more = {"loss": "ldam", "head": "linear", "scoring": None}
    with pytest.warns(UserWarning, match="expects cosines"):
        model = net(**more, loss_params={"scale": 4.0}, two_stage="crt").fit(X, y)
    codes, every = y, model.net_.embeddings(model._encoded(X, {}))
    weight, bias, _ = ClassifierRetraining().fit_head(None, None, Embedded(every, codes))
    expected = softmax(every @ weight.T + bias, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*expects cosines")
def test_a_stage_sees_the_layer_times_the_scale_of_the_loss(net, rare):
    X, y = rare
    more = {"loss": "ldam", "head": "linear", "loss_params": {"scale": 4.0}}
    plain, seen = net(**more).fit(X, y), []

    class Seeing(Scaled):
        def fit_head(self, weight, bias, train, valid=None):
            seen.extend((weight, bias))
            return super().fit_head(weight, bias, train, valid)

    staged = net(**more, two_stage=Seeing()).fit(X, y)
    for found, own, kept in zip(seen, plain.net_.head(), staged.net_.head(), strict=True):
        np.testing.assert_allclose(found, own * 4, rtol=1e-6)
        np.testing.assert_allclose(kept, own, rtol=1e-6)


def test_retraining_improves_the_mean_recall(net, blobs):
    X, y, X_test, y_test = blobs
    more = {"max_epochs": 15, "early_stopping": False}
    plain, crt = (net(two_stage=stage, **more).fit(X, y) for stage in (None, "crt"))
    before, after = (balanced_accuracy_score(y_test, m.predict(X_test)) for m in (plain, crt))
    assert after > before + 0.1
    assert crt.effective_prior_.tolist() == [1 / 3] * 3
    assert len(crt.second_stage_["balanced_accuracy"]) == 2


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_serves_a_net(net, rare, stage):
    X, y = rare
    model = net(two_stage=stage).fit(X, y, sample_weight=np.where(y, 2.0, 1.0))
    assert model.second_stage_
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


def test_parameters_by_underscores(net, rare):
    X, y = rare
    model = net(two_stage="tau", two_stage_params={"tau": 0.2})
    assert model.set_params(two_stage__tau=0.4).fit(X, y).second_stage_["tau"] == 0.4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"two_stage": "crtt"}, "Did you mean"),
        ({"two_stage": "crt", "loss": "auc_margin", "sampler": "balanced"}, "softmax"),
        ({"two_stage": "crt", "loss": "ldam"}, "linear last layer"),
        ({"two_stage": "crt", "module": nn.Sequential(nn.Linear(4, 2)), "module_params": None},
         "linear last layer"),
    ],
)  # fmt: skip
def test_a_stage_that_cannot_be_is_refused_before_training(net, rare, more, words):
    X, y = rare
    heard = []

    def score(model, X, y):
        heard.append(1)
        return 1.0

    with pytest.raises(InvalidParameterError, match=words):
        net(scoring=score, **more).fit(X, y)
    assert not heard
