"""The classifier: labels, tables, weights, priors, and what skorch does not do by itself."""

import copy
import inspect
import io
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.special import logit, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score, make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator
from skorch import NeuralNetClassifier
from torch import nn

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import (
    AUCMarginLoss,
    BaseLoss,
    CrossEntropyLoss,
    FocalLoss,
    LogitAdjustedLoss,
    OneVsRest,
    functional,
)
from imbkit.nets import ClassBalancedBatchSampler, ImbalancedNetClassifier
from imbkit.thresholds import ThresholdClassifierCV

NAMES = ["a", "b", "c", "d"]


# --- skorch's limits, of which the face has none (by number)


def test_limit_1_fit_takes_sample_weights(net, rare):
    X, y = rare
    model = net(scoring=None, max_epochs=20).fit(X, y, sample_weight=np.where(y, 20.0, 1.0))
    plain = net(scoring=None, max_epochs=20).fit(X, y)
    assert model.predict(X).mean() > plain.predict(X).mean() + 0.1
    boosted = AdaBoostClassifier(net(max_epochs=1), n_estimators=2, random_state=0)
    assert boosted.fit(X, y).predict(X).shape == (300,)


@pytest.mark.parametrize("labels", [["no", "yes"], [3, 4], [-1.0, 1.0], [True, False]])
def test_limit_2_any_labels(net, rare, labels):
    X, y = rare
    model = net(max_epochs=10).fit(X, np.array(labels)[y])
    assert model.classes_.tolist() == sorted(labels)
    assert set(model.predict(X).tolist()) <= set(labels)
    plain = net(max_epochs=10).fit(X, np.array(sorted(labels))[y])
    order = np.argsort(np.argsort(labels))
    if order.tolist() == [0, 1]:
        assert (model.predict(X) == np.array(labels)[net(max_epochs=10).fit(X, y).predict(X)]).all()
    np.testing.assert_array_equal(model.classes_, plain.classes_)


@pytest.mark.parametrize("loss", ["focal", "balanced_softmax", "ldam", "equalized", "poly1"])
def test_limit_3_probabilities_of_any_loss(net, blobs, loss):
    X, y, *_ = blobs
    p = net(loss=loss).fit(X, y).predict_proba(X)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_limit_4_batches_of_samplers(net, rare):
    X, y = rare

    class Seen(CrossEntropyLoss):
        def per_item(self, batch):
            if batch.training:
                self.batches = [*getattr(self, "batches", []), batch.target.bincount().tolist()]
            return super().per_item(batch)

    model = net(sampler="class_balanced", loss=Seen()).fit(X, y)
    assert set(map(tuple, model.loss_.batches)) == {(16, 16)}
    assert len(model.sampler_) == -(-model.class_counts_.sum() // 32)


def test_limit_5_devices_and_types(net, rare):
    X, y = rare
    models = [net(device=device).fit(X.astype(kind), y) for device, kind in
              [("cpu", np.float64), ("cpu", np.float32), ("auto", np.float64)]]  # fmt: skip
    assert models[0].device_ == torch.device("cpu")
    first, *others = (model.predict_proba(X) for model in models)
    for p in others if models[2].device_.type == "cpu" else others[:1]:
        np.testing.assert_allclose(p, first, atol=1e-5)


def test_limit_6_no_logarithms_of_probabilities(net, rare):
    X, y = rare
    model = net().fit(X * 100, y)
    z = model.decision_function(X * 1e6)
    assert np.isfinite(z).all()
    assert np.abs(z).max() > 100


def test_limit_7_scores_of_labels(net, rare):
    X, y = rare
    names = np.array(["no", "yes"])[y]
    by_name = net(scoring="f1").fit(X, names)
    score = make_scorer(f1_score, pos_label="yes", zero_division=0.0)
    by_function = net(scoring=score).fit(X, names)
    assert [row["valid_score"] for row in by_name.history_] == [
        row["valid_score"] for row in by_function.history_
    ]
    assert by_name.score(X, names) == np.mean(by_name.predict(X) == names)


def test_limit_8_weights_of_one_are_none(net, rare):
    X, y = rare
    plain = net().fit(X, y)
    for more, weights in (({}, np.ones(300)), ({"class_weight": {0: 1.0, 1: 1.0}}, None)):
        model = net(**more).fit(X, y, sample_weight=weights)
        np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


def test_limit_9_parameters_of_parts(net):
    model = net(
        loss="focal", loss_params={"gamma": 1.0}, sampler="power", sampler_params={"q": 0.2}
    )
    assert model.get_params()["loss__gamma"] == 1.0
    model.set_params(loss__gamma=0.5, sampler__q=0.1, module__hidden=(4,))
    copied = clone(model)
    assert copied.loss_params == {"gamma": 0.5}
    assert copied.sampler_params == {"q": 0.1}
    assert copied.module_params == {"hidden": (4,)}


def test_limit_10_epochs_are_judged_by_a_score_of_the_whole_part(net, rare):
    X, y = rare
    model = net(scoring="roc_auc", max_epochs=8, lr=0.1).fit(X, y)
    valid = model._split[1]
    kept = roc_auc_score(y[valid], model.predict_proba(X[valid])[:, 1])
    scores = [row["valid_score"] for row in model.history_]
    assert kept == pytest.approx(max(scores))


def test_limit_11_counts_without_the_rows_held_out(net, rare):
    X, y = rare
    model = net(loss="balanced_softmax").fit(X, y)
    train, valid = model._split
    assert model.class_counts_.tolist() == np.bincount(y[train]).tolist()
    assert model.loss_.stats.counts.tolist() == model.class_counts_.tolist()
    assert len(train) + len(valid) == 300


def test_limit_12_partial_fit_knows_its_classes(net, rare):
    X, y = rare
    model = net()
    with pytest.raises(InvalidParameterError, match="first call"):
        model.partial_fit(X, y)
    model.partial_fit(X[:50], np.zeros(50, int), classes=[0, 1, 2])
    model.partial_fit(X, y)
    assert model.predict_proba(X).shape == (300, 3)
    with pytest.raises(DataError, match="Got 5"):
        model.partial_fit(X[:9], np.full(9, 5))
    with pytest.raises(InvalidParameterError, match="must stay"):
        model.partial_fit(X, y, classes=[0, 1])


def test_skorch_has_the_limits():
    """If one of these fails, skorch has learned something, and the face may become smaller."""
    X, y = np.zeros((20, 2), np.float32), np.arange(20) % 2
    plain = NeuralNetClassifier(
        nn.Linear(2, 2), criterion=nn.CrossEntropyLoss, max_epochs=1, verbose=0
    )
    with pytest.raises(TypeError):
        plain.fit(X, y, sample_weight=np.ones(20))
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        plain.fit(X, y.astype(str))
    with pytest.raises(RuntimeError):
        plain.fit(X.astype(float), y)


# --- the same seed


def test_the_same_seed_gives_the_same_net(net, rare):
    X, y = rare
    more = {"module_params": {"hidden": (8,), "dropout": 0.5}}
    first, same, other = (net(random_state=seed, **more).fit(X, y) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


CODE = """
import numpy as np, torch
from imbkit.nets import ImbalancedNetClassifier
torch.set_num_threads(1)
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4))
y = (X[:, 0] + rng.normal(size=300) > 1.6).astype(int)
model = ImbalancedNetClassifier(
    module_params={"hidden": (8,), "dropout": 0.2}, loss="ens_loss", sampler="class_balanced",
    max_epochs=3, lr=0.02, batch_size=32, random_state=5, device="cpu",
)
import warnings
warnings.simplefilter("ignore")
p = model.fit(X, y).predict_proba(X)
print(p.tobytes().hex())
"""


def test_a_new_process_gives_the_same_net(monkeypatch, root):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("PYTHONPATH", str(root))
    scope, found = {}, []
    exec(CODE.replace("print(", "found.append("), {"found": found, **scope})
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == found[0]


def test_random_numbers_of_others_are_left_alone(net, rare):
    X, y = rare
    torch.manual_seed(11)
    np.random.seed(11)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    model = net(module_params={"hidden": (8,), "dropout": 0.3}, sampler="progressive").fit(X, y)
    model.partial_fit(X, y)
    model.predict_proba(X)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    torch.manual_seed(12)
    again = net(module_params={"hidden": (8,), "dropout": 0.3}, sampler="progressive").fit(X, y)
    np.testing.assert_array_equal(again.partial_fit(X, y).predict_proba(X), model.predict_proba(X))


def test_a_random_state_is_drawn_from(net, rare):
    X, y = rare
    state = np.random.RandomState(0)
    one, two = (net(random_state=state).fit(X, y).predict_proba(X) for _ in range(2))
    assert not np.array_equal(one, two)


# --- tables


@pytest.fixture(scope="module")
def frame(rare):
    X, _ = rare
    table = pd.DataFrame(X, columns=NAMES)
    table.loc[::7, "b"] = np.nan
    table["c"] = pd.Categorical(np.array(["u", "v", "w"])[(X[:, 2] * 3).astype(int) % 3])
    table["d"] = np.where(X[:, 3] > 0, "high", "low")
    table.loc[::11, "d"] = None
    return table


@pytest.mark.parametrize("module", ["mlp", "residual", "tabular"])
def test_pandas_and_polars_give_the_same(net, frame, rare, module):
    _, y = rare
    params = {"hidden": (8,)} if module == "mlp" else {}
    one = net(module=module, module_params=params).fit(frame, y)
    table = pl.from_pandas(frame)
    two = net(module=module, module_params=params).fit(table, pl.Series(y))
    np.testing.assert_array_equal(one.predict_proba(frame), two.predict_proba(table))
    np.testing.assert_array_equal(one.predict_proba(frame), one.predict_proba(table))
    assert one.feature_names_in_.tolist() == NAMES
    strange = frame.assign(c="never seen", b=np.nan)
    assert np.isfinite(one.predict_proba(strange)).all()


def test_the_encoder_has_not_seen_rows_held_out(net, rare):
    X, y = rare
    model = net().fit(X, y)
    moved = X.copy()
    moved[model._split[1]] += 1e3
    other = net().fit(moved, y)
    np.testing.assert_array_equal(model._split[1], other._split[1])
    a, b = (m.encoder_.transform(X)[0] for m in (model, other))
    np.testing.assert_array_equal(a, b)


def test_missing_numbers_are_taken(net, rare):
    X, y = rare
    X = X.copy()
    X[::5, 1] = np.nan
    p = net().fit(X, y).predict_proba(X)
    assert np.isfinite(p).all()
    with pytest.raises(ValueError, match="infinity"):
        net().fit(np.where(np.isnan(X), np.inf, X), y)


def test_labels_may_come_as_series(net, rare):
    X, y = rare
    names = np.array(["no", "yes"])[y]
    expected = net().fit(X, names).predict_proba(X)
    for labels in (
        pd.Series(names),
        pd.Series(names, dtype="category"),
        pl.Series(names),
        list(names),
    ):
        np.testing.assert_array_equal(net().fit(X, labels).predict_proba(X), expected)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda y: np.where(y, "yes", None), "must have a label"),
        (lambda y: np.where(y, 1.0, np.nan), "must have a label"),
        (lambda y: pd.Series(np.where(y, "yes", "no")).where(y == 1, pd.NA), "must have a label"),
        (lambda y: y + 0.25 * np.arange(len(y)), "continuous"),
        (lambda y: y[:-1], "inconsistent numbers of samples"),
        (lambda y: np.zeros(len(y)), "one class only"),
        (lambda y: np.stack([y, y], axis=1), "1d array"),
    ],
)
def test_bad_labels(net, rare, make, words):
    X, y = rare
    with pytest.raises(ValueError, match=words):
        net().fit(X, make(y))


def test_a_class_with_one_row_is_learned(net, rare):
    X, y = rare
    y = y.copy()
    y[0] = 2
    for more in (
        {},
        {"sampler": "class_balanced"},
        {"loss": "balanced_softmax"},
        {"two_stage": "crt"},
    ):
        model = net(**more).fit(X, y)
        assert model.class_counts_[2] == 1
        assert np.isfinite(model.predict_proba(X)).all()


# --- weights


def test_rows_of_weight_zero_are_not_there(net, rare):
    X, y = rare
    kept = np.random.default_rng(0).random(300) < 0.8
    model = net().fit(X, y, sample_weight=kept.astype(float))
    other = net().fit(X[kept], y[kept])
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (lambda y: np.zeros(300), "zero for every row"),
        (lambda y: np.where(y, 0.0, 1.0), "1 of 2 classes, 0"),
        (lambda y: np.where(y, -1.0, 1.0), "not negative"),
        (lambda y: np.ones(3), "one number for each"),
        (lambda y: np.where(y, np.nan, 1.0), "finite"),
    ],
)
def test_bad_weights(net, rare, weights, words):
    X, y = rare
    with pytest.raises(DataError, match=words):
        net().fit(X, y, sample_weight=weights(y))


def test_weights_of_rows_act_as_weights_of_classes(net, rare):
    X, y = rare
    by_class = net(scoring=None, class_weight={0: 1.0, 1: 4.0}).fit(X, y)
    by_row = net(scoring=None).fit(X, y, sample_weight=np.where(y, 4.0, 1.0))
    for model in (by_class, by_row):
        mass = np.bincount(y) * [1, 4]
        np.testing.assert_allclose(model.effective_prior_, mass / mass.sum(), rtol=1e-6)


def test_balanced_class_weights(net, rare):
    X, y = rare
    model = net(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(model.effective_prior_, [0.5, 0.5])
    same = net(reweight="class_weight").fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), same.predict_proba(X))


def test_class_weights_by_label(net, rare):
    X, y = rare
    names = np.array(["no", "yes"])[y]
    model = net(class_weight={"yes": 3.0}).fit(X, names)
    expected = model.class_counts_ * [1, 3]
    np.testing.assert_allclose(model.effective_prior_, expected / expected.sum())
    with pytest.raises(DataError, match="must name classes"):
        net(class_weight={"maybe": 3.0}).fit(X, names)
    for wrong in (0.0, -1.0, np.nan, "x"):
        with pytest.raises(InvalidParameterError, match="above 0"):
            net(class_weight={"yes": wrong}).fit(X, names)


# --- the shares that probabilities are for


def test_the_prior_of_each_loss(net, rare):
    X, y = rare
    shares = lambda **more: net(**more).fit(X, y)
    plain = shares()
    np.testing.assert_allclose(plain.effective_prior_, plain.net_.stats_.priors)
    for more in (
        {"loss": "balanced_softmax"},
        {"sampler": "class_balanced"},
        {"class_weight": "balanced"},
        {"two_stage": "crt"},
    ):
        np.testing.assert_allclose(shares(**more).effective_prior_, [0.5, 0.5])


def test_nothing_is_corrected_twice(net, rare):
    X, y = rare
    plain = net(sampler="class_balanced").fit(X, y)
    adjusted = net(sampler="class_balanced", loss="logit_adjusted").fit(X, y)
    np.testing.assert_allclose(adjusted.effective_prior_, [0.5, 0.5])
    np.testing.assert_allclose(adjusted.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    twice = LogitAdjustedLoss()
    twice.setup(plain.net_.stats_)
    np.testing.assert_allclose(np.diff(twice.log_prior), 0, atol=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_softmax", "focal"])
def test_the_shift_of_logits(net, blobs, loss):
    X, y, *_ = blobs
    base = net(loss=loss).fit(X, y)
    z, q0 = base.net_.outputs(base._encoded(X, {})).astype(float), base.effective_prior_
    np.testing.assert_allclose(base.predict_proba(X), softmax(z, axis=1), rtol=1e-9)
    wanted = np.array([0.2, 0.3, 0.5])
    for asked, q1 in (
        ("balanced", np.full(3, 1 / 3)),
        ("train", base.class_counts_ / base.class_counts_.sum()),
        (wanted, wanted),
        (dict(enumerate(wanted)), wanted),
    ):
        model = net(loss=loss, predict_prior=asked).fit(X, y)
        expected = softmax(z + np.log(q1) - np.log(q0), axis=1)
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)
        np.testing.assert_allclose(softmax(model.decision_function(X), axis=1), expected, rtol=1e-9)
        np.testing.assert_allclose(model.effective_prior_, q1)


def test_log_odds_of_two_classes(net, rare):
    X, y = rare
    model = net(predict_prior="balanced").fit(X, y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(model.decision_function(X), logit(p[:, 1]), rtol=1e-6)
    assert (model.predict(X) == (model.decision_function(X) > 0)).all()


@pytest.mark.parametrize("wrong", [[0.5, 0.6], [1.0, 0.0], [1.0], {0: 0.5}, "equal", 0.5])
def test_bad_priors_are_refused_before_training(net, rare, wrong):
    X, y = rare
    model = net(predict_prior=wrong)
    with pytest.raises(ValueError, match="predict_prior"):
        model.fit(X, y)
    assert not hasattr(model, "net_")


def test_weighted_sampling_counts_in_the_prior(net, rare):
    X, y = rare
    weights = np.where(y, 5.0, 1.0)
    more = {"sampler": "instance", "sampler_params": {"use_weight": True}, "scoring": None}
    model = net(**more).fit(X, y, sample_weight=weights)
    mass = np.bincount(y, weights)
    np.testing.assert_allclose(model.effective_prior_, mass / mass.sum(), rtol=1e-6)


# --- links


def test_scores_are_calibrated_on_rows_held_out(net, rare):
    X, y = rare
    more = {"loss": "auc_margin", "sampler": "class_balanced", "validation_fraction": 0.4}
    model = net(**more).fit(X, y)
    valid = model._split[1]
    p = model.predict_proba(X[valid])[:, 1]
    assert p.mean() == pytest.approx(y[valid].mean(), abs=0.03)  # Platt's targets are smoothed
    np.testing.assert_allclose(model.effective_prior_[1], y[valid].mean())
    s = model.net_.outputs(model._encoded(X, {}))[:, 0]
    odds = model.calibrator_.slope * s + model.calibrator_.intercept
    np.testing.assert_allclose(model.decision_function(X), odds, rtol=1e-4)
    even = net(predict_prior="balanced", **more).fit(X, y)
    gap = -logit(model.effective_prior_[1])
    np.testing.assert_allclose(even.decision_function(X) - model.decision_function(X), gap)


def test_scores_without_rows_held_out_are_no_probabilities(net, rare):
    X, y = rare
    more = {"loss": "auc_margin", "sampler": "class_balanced"}
    with pytest.warns(ImbkitWarning, match="no rows held out"):
        model = net(scoring=None, **more).fit(X, y)
    assert model.calibrator_ is None
    with pytest.warns(ImbkitWarning, match="no rows held out"):
        net(**more).partial_fit(X, y, classes=[0, 1])


def test_scores_of_many_classes_are_no_probabilities(net, blobs):
    X, y, *_ = blobs
    more = {"sampler": "class_balanced", "loss": OneVsRest(AUCMarginLoss())}
    with pytest.warns(ImbkitWarning, match="more than two classes"):
        assert net(**more).fit(X, y).predict_proba(X).shape == (480, 3)


def test_sigmoids_of_classes_sum_to_one(net, blobs):
    X, y, *_ = blobs
    model = net(loss="equalized", max_epochs=10).fit(X, y)
    z = model.net_.outputs(model._encoded(X, {})).astype(float)
    each = 1 / (1 + np.exp(-z))
    p = model.predict_proba(X)
    np.testing.assert_allclose(p, each / each.sum(axis=1, keepdims=True), rtol=1e-9)
    assert (model.decision_function(X).argmax(axis=1) == p.argmax(axis=1)).all()


def test_one_output_of_two_classes(net, rare):
    X, y = rare
    model = net(loss=nn.BCEWithLogitsLoss()).fit(X, y)
    assert model.net_.outputs(model._encoded(X, {})).shape[1:] in ((), (1,))
    assert model.predict_proba(X).shape == (300, 2)


def test_a_cosine_head_where_the_loss_asks_for_one(net, rare):
    X, y = rare
    model = net(loss="ldam").fit(X, y)
    z = model.net_.outputs(model._encoded(X, {}))
    assert np.abs(z).max() <= 1 + 1e-6
    np.testing.assert_allclose(model.predict_proba(X), softmax(z.astype(float) * 30.0, axis=1))
    added = net(aux_losses=[(0.1, "normalized_softmax")]).fit(X, y)
    assert type(added.net_.module_.head).__name__ == "CosineHead"


# --- partial_fit


def test_partial_fit_after_fit_makes_one_more_pass(net, rare):
    X, y = rare
    model = net(max_epochs=5).fit(X, y)
    before = model.net_.module_.head.weight.detach().clone()
    model.partial_fit(X[:40], y[:40])
    assert len(model.history_) == 6
    assert model.history_[-1]["train_batch_count"] == 2
    assert not torch.equal(before, model.net_.module_.head.weight)
    assert model.max_epochs == 5


def test_partial_fit_goes_through_the_epochs_of_fit(net, rare):
    X, y = rare
    more = {"max_epochs": 3, "scoring": None, "sampler": "progressive"}
    whole, parts = net(**more).fit(X, y), net(**more)
    for _ in range(3):
        parts.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_allclose(whole.predict_proba(X), parts.predict_proba(X), atol=1e-6)


def test_partial_fit_of_a_class_without_rows(net, rare):
    X, y = rare
    for prior in ("auto", "train", "balanced"):
        model = net(predict_prior=prior).partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
        assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("more", "words"),
    [({"two_stage": "crt"}, "second stage"), ({"loss": "aldr_kl"}, "remembers no rows")],
)
def test_what_partial_fit_cannot_serve(net, rare, more, words):
    X, y = rare
    with pytest.raises(InvalidParameterError, match=words):
        net(**more).partial_fit(X, y, classes=[0, 1])


# --- names, devices and other parameters


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"loss": "focall"}, "Did you mean 'focal'"),
        ({"loss": "focal", "loss_params": {"gama": 1}}, "Did you mean 'gamma'"),
        ({"sampler": "clas_balanced"}, "Did you mean 'class_balanced'"),
        ({"sampler": "power", "sampler_params": {"p": 1}}, "parameters are"),
        ({"module": "resdual", "module_params": None}, "Did you mean 'residual'"),
        ({"module_params": {"hiden": (3,)}}, "Did you mean 'hidden'"),
        ({"reweight": "class_weigth"}, "Did you mean 'class_weight'"),
        ({"aux_losses": [(1.0, "focall")]}, "Did you mean 'focal'"),
        ({"aux_losses": ["focal"]}, "pairs of a factor and a loss"),
        ({"scoring": "balanced_acuracy"}, "Did you mean"),
        ({"device": "gpu"}, "device of torch"),
        ({"device": "meta"}, "compute on here"),
        ({"loss": "soft_top_k", "loss_params": {"k": 1}}, "serves multilabel"),
        ({"loss": "aggregate"}, "serves aggregate"),
        ({"optimizer": "adamm"}, "optimizer"),
        ({"lr": 0.0}, "lr"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"loss_params": 3}, "loss_params"),
    ],
)
def test_bad_parameters(net, rare, more, words):
    X, y = rare
    with pytest.raises(ValueError, match=words):
        net(**more).fit(X, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device")
def test_a_device_that_is_not_there(net, rare):
    for device in ("cuda", "cuda:3"):
        with pytest.raises(InvalidParameterError, match="compute on here"):
            net(device=device).fit(*rare)


def test_optimizers(net, rare):
    X, y = rare
    for optimizer in ("adam", "sgd", "rmsprop", torch.optim.NAdam, torch.optim.Rprop):
        model = net(optimizer=optimizer, weight_decay=0.01).fit(X, y)
        group = model.net_.optimizer_.param_groups[0]
        assert group.get("weight_decay", 0.01) == 0.01
        assert group["lr"] == 0.02


def test_early_stopping(net, rare):
    X, y = rare
    stopped = net(max_epochs=40, patience=2, lr=0.1).fit(X, y)
    scores = [row["valid_score"] for row in stopped.history_]
    assert len(scores) == int(np.argmax(scores)) + 3 < 40
    whole = net(max_epochs=40, patience=2, lr=0.1, early_stopping=False).fit(X, y)
    assert len(whole.history_) == 40


def test_a_line_an_epoch(net, rare, capsys):
    X, y = rare
    net(verbose=1).fit(X, y)
    assert len([line for line in capsys.readouterr().out.splitlines() if line.strip()]) == 2 + 3
    net().fit(X, y)
    assert capsys.readouterr().out == ""


def test_a_line_an_epoch_of_partial_fit(net, rare, capsys):
    X, y = rare
    model = net(verbose=1)
    model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    assert len([line for line in capsys.readouterr().out.splitlines() if line.strip()]) == 4


def test_bad_numbers_end_training(net, rare):
    with pytest.raises(DataError, match="gradient_clip"):
        net(lr=1e30).fit(*rare)


# --- modules of one's own


class Own(nn.Module):
    """A body without embed."""

    def __init__(self, n_features, n_outputs, width=6):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.ReLU(), nn.Linear(width, n_outputs)
        )

    def forward(self, X):
        return self.layers(X)


class WithCodes(nn.Module):
    """A body for categories, too."""

    def __init__(self, n_features, n_outputs, cardinalities):
        super().__init__()
        self.each = nn.ModuleList(nn.Embedding(c, 2) for c in cardinalities)
        self.last = nn.Linear(n_features + 2 * len(cardinalities), n_outputs)

    def forward(self, X, codes):
        parts = [each(codes[:, j]) for j, each in enumerate(self.each)]
        return self.last(torch.cat([X, *parts], dim=1))


def factory(n_features, n_outputs):
    return Own(n_features, n_outputs, width=3)


@pytest.mark.parametrize(
    ("module", "params"),
    [(Own, {"width": 5}), (factory, None), (Own(4, 2), None)],
)
def test_modules_of_ones_own(net, rare, module, params):
    X, y = rare
    before = copy.deepcopy(module)
    model = net(module=module, module_params=params).fit(X, y)
    assert model.predict_proba(X).shape == (300, 2)
    if isinstance(module, nn.Module):  # it is copied
        for one, two in zip(module.parameters(), before.parameters(), strict=True):
            assert torch.equal(one, two)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_modules_for_categories(net, frame, rare):
    _, y = rare
    model = net(module=WithCodes, module_params=None).fit(frame, y)
    assert model.predict_proba(frame).shape == (300, 2)
    with pytest.raises(InvalidParameterError, match="take codes"):
        net(module=Own, module_params=None).fit(frame, y)


def test_a_loss_that_the_module_cannot_serve(net, rare):
    for loss in ("multi_similarity", "unpg"):
        with pytest.raises(InvalidParameterError):
            net(module=Own, module_params=None, loss=loss).fit(*rare)


def test_adversarial_losses_see_the_module(net, frame, rare):
    _, y = rare
    for X in (frame, rare[0]):
        assert net(loss="smooth_adv_comp_sum", max_epochs=1).fit(X, y).predict_proba(X).shape == (
            300,
            2,
        )


# --- among scikit-learn's tools


def test_a_search_over_a_parameter_of_a_named_loss(net, rare):
    X, y = rare
    search = GridSearchCV(net(loss="focal"), {"loss__gamma": [0.0, 2.0]}, cv=2, scoring="roc_auc")
    search.fit(X, y)
    assert search.best_estimator_.loss_.gamma == search.best_params_["loss__gamma"]
    assert len(search.cv_results_["params"]) == 2


def test_losses_as_objects_and_classes(net, rare):
    X, y = rare
    loss = FocalLoss(gamma=1.0)
    by_object = net(loss=loss).fit(X, y)
    by_class = net(loss=FocalLoss, loss_params={"gamma": 1.0}).fit(X, y)
    by_name = net(loss="focal", loss_params={"gamma": 1.0}).fit(X, y)
    for other in (by_class, by_name):
        np.testing.assert_array_equal(by_object.predict_proba(X), other.predict_proba(X))
    assert loss.stats is None
    assert by_object.loss_ is not loss
    sampler = ClassBalancedBatchSampler()
    assert net(sampler=sampler).fit(X, y).sampler_ is not sampler


def test_a_parameter_inside_of_loss_params_stays_as_it_was(net, rare):
    X, y = rare
    inner = FocalLoss()
    net(loss="one_vs_rest", loss_params={"loss": inner}).fit(X, y)
    assert inner.stats is None


@pytest.mark.parametrize("dump", ["pickle", "joblib", "deepcopy"])
def test_a_net_is_stored(net, rare, dump):
    X, y = rare
    model = net(loss="balanced_softmax", two_stage="crt", predict_prior="train").fit(X, y)
    if dump == "pickle":
        other = pickle.loads(pickle.dumps(model))
    elif dump == "deepcopy":
        other = copy.deepcopy(model)
    else:
        file = io.BytesIO()
        joblib.dump(model, file)
        file.seek(0)
        other = joblib.load(file)
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    assert other.loss_ is other.net_.criterion_
    assert len(other.history_) == len(model.history_)
    assert torch.device(other.net_.device).type == "cpu"


def test_weights_are_stored_once(net, rare):
    X, y = rare
    model = net(module_params={"hidden": (300, 300)}, optimizer="sgd", max_epochs=1).fit(X, y)
    numbers = sum(p.numel() for p in model.net_.module_.parameters())
    assert len(pickle.dumps(model)) < 4 * numbers * 1.2


def test_a_net_on_another_device_is_stored_for_the_processor(net, rare):
    X, y = rare
    model = net().fit(X, y)
    vars(model.net_)["device"], model.device_ = "cuda", torch.device("cuda")  # as if
    stored = pickle.loads(pickle.dumps(model))
    assert model.net_.device == "cuda"
    assert stored.net_.device == "cpu"
    assert stored.device_ == torch.device("cpu")
    assert stored.predict_proba(X).shape == (300, 2)


@pytest.mark.gpu
def test_a_net_of_an_accelerator(net, rare):
    X, y = rare
    model = net(device="cuda", amp=True, loss="balanced_softmax", sampler="class_balanced").fit(
        X, y
    )
    stored = pickle.loads(pickle.dumps(model))
    assert stored.device_ == torch.device("cpu")
    assert next(model.net_.module_.parameters()).is_cuda
    np.testing.assert_allclose(stored.predict_proba(X), model.predict_proba(X), atol=1e-2)


def test_thresholds_and_calibration_around_a_net(net, rare):
    X, y = rare
    tuned = ThresholdClassifierCV(net(max_epochs=10), cv=2).fit(X, y)
    assert balanced_accuracy_score(y, tuned.predict(X)) > 0.5
    calibrated = CalibratedClassifierCV(net(), cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (300, 2)
    assert cross_val_score(net(), X, y, cv=2).shape == (2,)


def test_callbacks_of_skorch(net, rare):
    from skorch.callbacks import EpochScoring, LRScheduler

    X, y = rare
    callbacks = [
        ("rate", LRScheduler("StepLR", step_size=1, gamma=0.1)),
        EpochScoring("accuracy", name="more", lower_is_better=False),
    ]
    model = net(callbacks=callbacks).fit(X, y)
    assert [row["event_lr"] for row in model.history_] == pytest.approx([0.02, 0.002, 0.0002])
    assert "more" in model.history_[-1]
    assert "batches" not in model.history_[-1]


def test_only_one_known_failure_of_scikit_learns_checks():
    card = ImbalancedNetClassifier.card
    assert set(card.known_failures) == {"check_sample_weight_equivalence_on_dense_data"}
    names = {
        each.func.__name__
        for _, each in estimator_checks_generator(
            ImbalancedNetClassifier(**card.cases[0]), mark=None
        )
    }
    assert set(card.known_failures) <= names


def test_every_parameter_is_kept(net):
    names = list(inspect.signature(ImbalancedNetClassifier).parameters)
    assert list(ImbalancedNetClassifier().get_params(deep=False)) == sorted(names)
    assert set(names) == set(ImbalancedNetClassifier._parameter_constraints)


def test_an_unknown_loss_class_of_ones_own(net, rare):
    X, y = rare

    class Squared(BaseLoss):
        def per_item(self, batch):
            return functional.cross_entropy(batch.logits, batch.target) ** 2

    assert net(loss=Squared).fit(X, y).predict_proba(X).shape == (300, 2)


def test_a_loss_of_embeddings_alone_needs_another_or_a_second_stage(net, blobs):
    X, y, *_ = blobs
    with pytest.raises(InvalidParameterError, match=r"some loss must look at the outputs.*aux_los"):
        net(loss="multi_similarity").fit(X, y)
    balanced = {"sampler": "class_balanced"}
    beside = net(aux_losses=[(0.1, "multi_similarity")], **balanced).fit(X, y)
    assert beside.predict_proba(X).shape == (len(X), len(beside.classes_))
    staged = net(loss="multi_similarity", two_stage="ncm", **balanced).fit(X, y)
    assert set(staged.predict(X)) <= set(staged.classes_)
