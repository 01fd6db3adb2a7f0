"""A net for several labels a row: losses, unknown labels, rows held out, thresholds."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.losses import get_loss, loss_names
from imbkit.nets import ImbalancedMultiLabelNet
from imbkit.nets._hold_out import held_out
from imbkit.nets._label_hold_out import held_out_labels
from imbkit.nets._label_scoring import LabelScore
from imbkit.nets._scoring import Outputs

SMALL = {"module_params": {"hidden": (8,)}, "max_epochs": 3, "lr": 0.02, "batch_size": 64}
SMALL |= {"random_state": 0, "device": "cpu"}
OF_OTHERS = {"adversarial", "deferred_loss", "one_vs_rest", "reweighted", "sum_loss"}  # need parts
OF_LABELS = [
    name for name in loss_names() if name not in OF_OTHERS and "multilabel" in get_loss(name).tasks
]


def make(n=300, seed=0):
    """Three labels, the last one in a row of twenty."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, 4))
    noisy = X[:, :3] + 0.3 * draw.normal(size=(n, 3))
    return X, (noisy > [0.0, 0.8, 1.6]).astype(int)


def net(**more):
    return ImbalancedMultiLabelNet(**{**SMALL, **more})


# --- losses and samplers


def test_the_list_of_losses_is_not_empty():
    wanted = {"cross_entropy", "focal", "asl", "mfm", "label_class_balanced", "hybrid_multilabel"}
    wanted |= {"pu_mlc", "decoupled_softmax", "soft_top_k", "logit_adjusted", "auc_margin"}
    assert wanted <= set(OF_LABELS)


@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
@pytest.mark.parametrize("loss", OF_LABELS)
def test_every_loss_of_labels_serves(loss):
    X, y = make()
    more = {"loss_params": {"k": 1}} if loss == "soft_top_k" else {}
    model = net(loss=loss, **more).fit(X, y)
    p = model.predict_proba(X)
    assert p.shape == y.shape
    assert ((p >= 0) & (p <= 1)).all()
    assert set(np.unique(model.predict(X))) <= {0, 1}
    assert np.isfinite(model.decision_function(X)).all()
    y[::3, 1], y[1::3, 2] = -1, -1
    assert np.isfinite(net(loss=loss, **more).fit(X, y).predict_proba(X)).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "asl", "logit_adjusted"])
def test_labels_are_learned(loss):
    X, y = make(600)
    model = net(loss=loss, max_epochs=20).fit(X, y)
    X, y = make(600, seed=1)
    assert average_precision_score(y, model.predict_proba(X)) > 0.7
    assert f1_score(y, model.predict(X), average="macro") > 0.6


def test_a_loss_of_classes_is_refused():
    X, y = make()
    with pytest.raises(InvalidParameterError, match="multilabel"):
        net(loss="seesaw").fit(X, y)


@pytest.mark.parametrize("sampler", ["instance", "rfs"])
def test_rates_in_batches_are_those_of_known_labels(sampler):
    X, y = make()
    y[::2] = -1
    known = y[1::2]
    more = {"scoring": None, "sampler": sampler}
    if sampler == "rfs":
        more["sampler_params"] = {"threshold": 0.001}  # below every rate: no row is repeated
    stats = net(**more).fit(X, y).net_.stats_
    np.testing.assert_allclose(stats.effective_priors, known.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("sampler", ["rfs", "dual", "instance", None])
def test_samplers_of_labels(sampler):
    X, y = make()
    model = net(sampler=sampler).fit(X, y)
    assert model.predict(X).shape == y.shape
    counted, batches = model.net_.stats_.priors, model.net_.stats_.effective_priors
    if sampler in ("rfs", "dual"):
        assert batches[2] > 1.3 * counted[2]
        np.testing.assert_allclose(batches, model.sampler_.effective_priors())
    else:
        np.testing.assert_allclose(batches, counted)


def test_a_sampler_of_classes_is_refused():
    X, y = make()
    with pytest.raises(InvalidParameterError, match="rfs"):
        net(sampler="class_balanced").fit(X, y)


def test_adjustments_know_what_the_batches_have():
    """With a tenth as many rows without the label the same loss corrects ten times less."""
    X, y = make()
    plain = net(loss="logit_adjusted", scoring=None).fit(X, y)
    twice = net(loss="logit_adjusted", scoring=None, sampler="dual").fit(X, y)
    assert twice.net_.stats_.effective_priors[2] > 3 * plain.net_.stats_.effective_priors[2]
    np.testing.assert_array_equal(plain.net_.stats_.counts, twice.net_.stats_.counts)


@pytest.mark.filterwarnings("error")
def test_a_loss_that_ranks_gets_probabilities_from_the_rows_held_out():
    X, y = make(600)
    model = net(loss="auc_margin", max_epochs=10, validation_fraction=0.4).fit(X, y)
    assert len(model.calibrators_) == 3
    held = model._split[1]
    rates = model.predict_proba(X[held]).mean(axis=0)
    np.testing.assert_allclose(rates, y[held].mean(axis=0), atol=0.02)
    order = model.decision_function(X).argsort(axis=0)
    assert (np.diff(np.take_along_axis(model.predict_proba(X), order, axis=0), axis=0) >= 0).all()
    assert net().fit(X, y).calibrators_ is None


def test_weights_of_rows_count_for_probabilities_of_a_loss_that_ranks():
    X, y = make(600)
    w = np.where(y[:, 0] == 1, 3.0, 1.0)
    model = net(loss="auc_margin", max_epochs=10, validation_fraction=0.4)
    model.fit(X, y, sample_weight=w)
    held = model._split[1]
    found = np.average(model.predict_proba(X[held])[:, 0], weights=w[held])
    assert found == pytest.approx(np.average(y[held, 0], weights=w[held]), abs=0.02)


def test_a_loss_that_ranks_says_that_nothing_is_held_out():
    X, y = make()
    with pytest.warns(ImbkitWarning, match="no probability"):
        model = net(loss="auc_margin", scoring=None).fit(X, y)
    assert model.calibrators_ is None
    np.testing.assert_array_equal(model.thresholds_, 0.5)


# --- unknown labels


def test_unknown_labels_may_be_written_in_three_ways():
    X, y = make()
    y[::3, 1], y[5::7, 2] = -1, -1
    gone = y.astype(float)
    gone[y < 0] = np.nan
    none = np.where(y < 0, None, y.astype(object))
    expected = net().fit(X, y)
    for other in (gone, none, pd.DataFrame(gone).astype("Int64"), pl.DataFrame(none, orient="row")):
        found = net().fit(X, other)
        np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
        np.testing.assert_array_equal(found.thresholds_, expected.thresholds_)


def test_unknown_labels_are_not_counted():
    X, y = make()
    y[::2, 2] = -1
    model = net(scoring=None).fit(X, y)
    np.testing.assert_array_equal(model.label_counts_, (y == 1).sum(axis=0))
    rates = (y == 1).sum(axis=0) / (y >= 0).sum(axis=0)
    np.testing.assert_allclose(model.net_.stats_.effective_priors, rates)


def test_rows_without_any_known_label_change_nothing():
    """With one batch an epoch such a row enters no gradient, as the mean is over all rows."""
    X, y = make()
    more = {"scoring": None, "standardize": False, "batch_size": 1000, "weight_decay": 0.0}
    more |= {"optimizer": "adam", "max_epochs": 10}
    y[:30] = -1
    far = X.copy()
    far[:30] = 50.0
    found, expected = net(**more).fit(X, y), net(**more).fit(far, y)
    np.testing.assert_allclose(
        found.predict_proba(X), expected.predict_proba(X), rtol=1e-4, atol=1e-6
    )


# --- rows held out


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 8),
    st.floats(0.05, 0.95),
    st.floats(0.02, 0.9),
    st.integers(0, 99),
)
def test_every_kind_of_row_stays_in_the_training_part(n, n_labels, fraction, rate, seed):
    draw = np.random.default_rng(seed)
    y = (draw.random((n, n_labels)) < rate).astype(int)
    y[draw.random(y.shape) < 0.2] = -1
    found = held_out_labels(y, fraction, seed)
    if found is None:
        return
    train, valid = found
    np.testing.assert_array_equal(np.sort(np.concatenate([train, valid])), np.arange(n))
    for value in (0, 1):
        there = (y == value).any(axis=0)
        np.testing.assert_array_equal((y[train] == value).any(axis=0), there)


def test_a_label_that_rarer_ones_would_take_away_is_kept():
    y = np.zeros((30, 3), int)
    y[[0, 1], 0] = y[[1, 2], 1] = y[[0, 2], 2] = 1
    for seed in range(20):
        train, _ = held_out(y, 0.1, seed)
        assert y[train].any(axis=0).all()


def test_labels_whose_combinations_are_all_different_are_held_out_in_proportion():
    draw = np.random.default_rng(0)
    y = (draw.random((2000, 20)) < np.linspace(0.01, 0.7, 20)).astype(int)
    _, valid = held_out(y, 0.1, 0)
    assert 150 < len(valid) < 250
    np.testing.assert_allclose(y[valid].sum(axis=0), 0.1 * y.sum(axis=0), rtol=0.1, atol=1.0)
    assert (y[valid].sum(axis=0) >= 1).all()
    again, other = held_out(y, 0.1, 0)[1], held_out(y, 0.1, 1)[1]
    np.testing.assert_array_equal(valid, again)
    assert not np.array_equal(valid, other)


def test_of_a_single_label_the_shares_are_exact():
    y = np.array([[1]] * 20 + [[0]] * 80)
    _, valid = held_out(y, 0.25, 3)
    assert len(valid) == 25
    assert y[valid].sum() == 5


def test_labels_of_one_row_each_leave_nothing_to_hold_out():
    assert held_out(np.array([[1], [0]]), 0.1, 0) is None
    with pytest.warns(SmallClassWarning, match="not judged"):
        net().fit(np.eye(2), [[1], [0]])


# --- thresholds


def best_cuts(p, y):
    """The largest F1 score of each label among all cut-offs, by trying every one."""
    best = []
    for each, truth in zip(p.T, y.T, strict=True):
        each, truth = each[truth >= 0], truth[truth >= 0]
        best.append(max(f1_score(truth, each >= cut) for cut in [*each, 2.0]))
    return best


@pytest.mark.parametrize("unknown", [False, True])
def test_thresholds_have_the_best_f1_score_of_each_label(unknown):
    X, y = make(400)
    if unknown:
        y[::3, 1] = -1
    model = net(validation_fraction=0.25, max_epochs=5).fit(X, y)
    held = model._split[1]
    p, truth = model.predict_proba(X[held]), y[held]
    for j, best in enumerate(best_cuts(p, truth)):
        known = truth[:, j] >= 0
        said = model.predict(X[held])[known, j]
        assert f1_score(truth[known, j], said) == pytest.approx(best, abs=1e-12)
    assert (model.thresholds_ != 0.5).all()
    half = net(validation_fraction=0.25, max_epochs=5, thresholds="half").fit(X, y)
    np.testing.assert_array_equal(half.thresholds_, 0.5)
    np.testing.assert_array_equal(half.predict_proba(X), model.predict_proba(X))


def test_a_label_that_is_best_given_to_all_has_threshold_zero():
    from imbkit.nets._multilabel import _best_cut

    truth, p = np.array([1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    assert _best_cut(truth, p, np.ones(4)) == 0.0
    assert _best_cut(np.array([1, 1, -1]), p[:3], np.ones(3)) == 0.5
    light = np.array([1e-6, 1.0, 1.0, 1.0])
    assert _best_cut(truth, p, light) == pytest.approx(0.25)


# --- scores


def judged(scoring, p, y, weight=None):
    return LabelScore(scoring, "Net")(Outputs(p, np.arange(p.shape[1]), True), None, y, weight)


def test_scores_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    p, y = draw.random((60, 3)), draw.integers(0, 2, (60, 3))
    w = draw.random(60)
    for weight in (None, w):
        more = {"sample_weight": weight}
        found = judged("average_precision", p, y, weight)
        assert found == pytest.approx(average_precision_score(y, p, **more), abs=1e-12)
        for average in ("macro", "micro", "samples"):
            found = judged(f"f1_{average}", p, y, weight)
            expected = f1_score(y, p >= 0.5, average=average, zero_division=0, **more)
            assert found == pytest.approx(expected, abs=1e-12)
        found = judged("balanced_accuracy", p, y, weight)
        pairs = [(y[:, j], p[:, j] >= 0.5) for j in range(3)]
        expected = np.mean([balanced_accuracy_score(*pair, **more) for pair in pairs])
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("error")
def test_scores_leave_out_what_is_unknown_or_cannot_be_judged():
    draw = np.random.default_rng(0)
    p, y = draw.random((60, 3)), draw.integers(0, 2, (60, 3))
    y[:20, 0], y[:, 2] = -1, 0
    first = average_precision_score(y[20:, 0], p[20:, 0])
    expected = (first + average_precision_score(y[:, 1], p[:, 1])) / 2
    assert judged("average_precision", p, y) == pytest.approx(expected, abs=1e-12)
    expected = np.mean([f1_score(y[20:, 0], p[20:, 0] >= 0.5), f1_score(y[:, 1], p[:, 1] >= 0.5)])
    assert judged("f1_macro", p, y) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(judged("average_precision", p, np.zeros_like(y)))
    one = average_precision_score(y[:, 1], p[:, 1])
    assert judged("average_precision", p[:, 1:], y[:, 1:]) == pytest.approx(one, abs=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "scoring", ["average_precision", "f1_macro", "roc_auc", "accuracy", "neg_brier_score", "gmean"]
)
def test_epochs_are_judged_by_the_name_given(scoring):
    X, y = make()
    model = net(scoring=scoring, validation_fraction=0.3).fit(X, y)
    held = model._split[1]
    p = model.predict_proba(X[held])
    best = max(row["valid_score"] for row in model.history_)
    assert judged(scoring, p, y[held]) == pytest.approx(best, abs=1e-6)


def test_a_function_judges_epochs_and_wrong_names_are_refused():
    X, y = make()
    seen = []

    def score(model, X, y):
        seen.append(y.shape)
        return float(-len(seen))

    model = net(scoring=score).fit(X, y)
    assert len(seen) == 3
    assert seen[0][1] == 3
    assert [row["valid_score"] for row in model.history_] == [-1.0, -2.0, -3.0]
    with pytest.raises(InvalidParameterError, match="average_precision"):
        net(scoring="avrage_precision").fit(X, y)


# --- as scikit-learn's


def test_frames_are_tables_and_labels():
    X, y = make()
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = np.where(y[:, 0], "x", "y")
    names = ["p", "q", "r"]
    first = net().fit(frame, pd.DataFrame(y, columns=names))
    other = net().fit(pl.from_pandas(frame), pl.DataFrame(y, schema=names))
    np.testing.assert_array_equal(
        first.predict_proba(frame), other.predict_proba(pl.from_pandas(frame))
    )
    np.testing.assert_array_equal(first.predict(frame[::-1])[::-1], first.predict(frame))
    assert list(first.feature_names_in_) == [*"abcd", "kind"]


def test_lists_booleans_and_sparse_indicators_are_the_same():
    X, y = make(100)
    expected = net().fit(X, y).predict_proba(X)
    for other in (y.tolist(), y.astype(bool), y.astype(float), csr_matrix(y)):
        np.testing.assert_array_equal(net().fit(X, other).predict_proba(X), expected)


def test_a_single_label_is_a_column():
    X, y = make()
    model = net(max_epochs=10).fit(X, y[:, :1])
    assert model.predict(X).shape == (300, 1)
    assert model.thresholds_.shape == (1,)
    assert average_precision_score(y[:, 0], model.predict_proba(X)[:, 0]) > 0.8


def test_a_search_tries_parameters_of_parts():
    X, y = make()
    grid = {"loss__gamma_neg": [1.0, 4.0], "sampler__threshold": [0.1]}
    model = net(loss="asl", sampler="rfs", max_epochs=1)
    search = GridSearchCV(model, grid, cv=2, scoring="average_precision", error_score="raise")
    search.fit(X, y)
    assert search.best_estimator_.loss_.gamma_neg == search.best_params_["loss__gamma_neg"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_pickle_predicts_the_same():
    X, y = make()
    model = net(loss="asl", sampler="rfs").fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_the_seed_decides_and_torch_is_left_alone():
    X, y = make()
    before = torch.get_rng_state()
    first = net(module_params={"hidden": (8,), "dropout": 0.3}).fit(X, y).predict_proba(X)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    again = net(module_params={"hidden": (8,), "dropout": 0.3}).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, net(random_state=1).fit(X, y).predict_proba(X))


def test_rows_of_weight_zero_are_not_there():
    X, y = make()
    w = np.ones(300)
    w[::4] = 0
    found = net().fit(X, y, sample_weight=w)
    expected = net().fit(X[w > 0], y[w > 0], sample_weight=w[w > 0])
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    plain = net().fit(X[w > 0], y[w > 0])
    np.testing.assert_allclose(found.predict_proba(X), plain.predict_proba(X), atol=1e-5)


# --- bad input


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: y[:, 0], "column for each label"),
        (lambda y: y + 1, "1, 0, or -1"),
        (lambda y: y * 0.5, "continuous"),
        (lambda y: np.where(y == 1, "yes", "no"), "1, 0, or -1"),
        (lambda y: y[:-1], "same number of rows"),
        (lambda y: y * [1, 0, 1], "label at 1"),
        (lambda y: y | [0, 0, 1], "label at 2"),
        (lambda y: None, "requires y"),
        (lambda y: y[:, :0], "at least 1|minimum of 1"),
    ],
)
def test_other_targets_are_refused(change, said):
    X, y = make()
    with pytest.raises(DataError if "minimum" not in said else ValueError, match=said):
        net().fit(X, change(y))


def test_a_label_whose_only_rows_have_no_weight_is_refused():
    X, y = make()
    with pytest.raises(DataError, match="positive weight"):
        net().fit(X, y, sample_weight=(y[:, 2] == 0).astype(float))


def test_thresholds_have_two_names():
    X, y = make()
    with pytest.raises(ValueError, match="thresholds"):
        net(thresholds="best").fit(X, y)
