"""The plain classifier: the dense formula, the two systems, chunks, weights and labels."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import skops.io as sio
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import Ridge

from imbkit._core.prior import induced_prior
from imbkit.rvfl import RVFLClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = np.where(X[:, 0] + RNG.normal(size=300) > 1.6, "rare", "usual")
Y3 = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=300), [0.5, 1.5])

ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sin": np.sin,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


def features(model, rows):
    """The features of rows, written out."""
    z = rows @ model.random_weights_ + model.random_bias_
    g = ACTIVATIONS[model.activation](z) if isinstance(model.activation, str) else None
    parts = [rows] * model.direct_link + [model.activation(z) if g is None else g]
    return np.hstack(parts + [np.ones((len(rows), 1))] * model.fit_output_bias)


def dense(model, rows, y, C, of_gram, of_right, v=None):
    """The coefficients by the formula, all matrices formed."""
    H, T = features(model, rows), (y[:, None] == model.classes_).astype(float)
    v = np.ones(len(y)) if v is None else v
    own = np.searchsorted(model.classes_, y)
    gram = H.T @ np.diag(v * of_gram[own]) @ H
    n_k = v @ T
    a = v.sum() / n_k.min() / C if model.class_weight == "balanced" else 1 / C
    return np.linalg.solve(a * np.eye(len(gram)) + gram, H.T @ ((v * of_right[own])[:, None] * T))


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("y", [Y, Y3], ids=["two", "three"])
@pytest.mark.parametrize(
    ("class_weight", "weighting", "powers"),
    [
        (None, "wls", (0, 0)),
        ("balanced", "wls", (1, 1)),
        ("balanced", "authors", (2, 1)),
        ("balanced", "squared", (2, 2)),
    ],
)
def test_the_solution_is_that_of_the_formula(solver, y, class_weight, weighting, powers):
    weights = RNG.integers(1, 4, len(y)).astype(float)
    model = RVFLClassifier(
        n_hidden=15,
        C=3.0,
        class_weight=class_weight,
        weighting=weighting,
        solver=solver,
        chunk_size=64,
        random_state=0,
    ).fit(X, y, weights)
    mass = np.array([weights[y == each].sum() for each in model.classes_])
    w = weights.sum() / mass
    known = dense(model, X, y, 3.0, w ** powers[0], w ** powers[1], weights)
    assert_allclose(model.coef_, known, rtol=1e-9, atol=1e-12)
    assert model.solver_ == solver
    assert_allclose(model.class_count_, mass)
    if class_weight:
        assert_allclose(model.class_weight_, w)
        assert_allclose(model.regularization_, weights.sum() / mass.min() / 3.0)
    scores = features(model, X) @ known
    assert_array_equal(model.predict(X), model.classes_[scores.argmax(axis=1)])
    found = model.decision_function(X)
    assert_allclose(found, scores[:, 1] - scores[:, 0] if len(mass) == 2 else scores, atol=1e-9)
    powers_of_e = np.exp(scores)
    expected = powers_of_e / powers_of_e.sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba(X), expected, atol=1e-9)


def test_the_two_published_class_weights_are_one_model():
    """D_+ = 1, D_- = m1 / m2 at C; D_+ = m2 / n, D_- = m1 / n at C (1 + IR) / IR."""
    rare, usual = (Y == "rare").sum(), (Y == "usual").sum()
    ratio, C = usual / rare, 2.0
    for D, scaled in (
        ((1.0, rare / usual), C),
        ((usual / len(Y), rare / len(Y)), C * (1 + ratio) / ratio),
    ):
        C_k = scaled * np.array(D)
        w = np.array([1 + C_k[0] / C_k[1], 1 + C_k[1] / C_k[0]])
        assert_allclose(w, len(Y) / np.array([rare, usual]))
        model = RVFLClassifier(
            n_hidden=9, C=C, class_weight="balanced", weighting="authors", random_state=1
        ).fit(X, Y)
        assert_allclose(model.class_weight_, w)
        assert_allclose(model.regularization_, (1 / C_k).sum())


@pytest.mark.parametrize("activation", [*ACTIVATIONS, np.cos])
def test_activations_and_links(activation):
    for link, bias in ((True, False), (False, True), (False, False)):
        model = RVFLClassifier(
            n_hidden=7,
            activation=activation,
            direct_link=link,
            fit_output_bias=bias,
            weight_scale=0.7,
            random_state=3,
        ).fit(X, Y)
        assert model.coef_.shape == (7 + 4 * link + bias, 2)
        assert_allclose(model.coef_, dense(model, X, Y, 1.0, np.ones(2), np.ones(2)), rtol=1e-8)
    assert (np.abs(model.random_weights_) <= 0.7).all()
    assert ((model.random_bias_ >= 0) & (model.random_bias_ <= 0.7)).all()
    assert model.random_weights_.min() < -0.3


def test_without_random_features_it_is_ridge():
    model = RVFLClassifier(n_hidden=0, C=0.5, fit_output_bias=False).fit(X, Y)
    known = Ridge(alpha=2.0, fit_intercept=False).fit(X, (Y == "rare").astype(float))
    assert_allclose(model.coef_[:, 0], known.coef_, rtol=1e-10)


@pytest.mark.parametrize("n_hidden", [5, 80])
@pytest.mark.parametrize("settings", [{}, {"class_weight": "balanced", "weighting": "authors"}])
def test_both_systems_agree(n_hidden, settings):
    some = slice(0, 60)
    models = [
        RVFLClassifier(n_hidden, C=5.0, solver=solver, random_state=0, **settings).fit(
            X[some], Y3[some]
        )
        for solver in ("primal", "dual", "auto")
    ]
    assert_allclose(models[0].coef_, models[1].coef_, rtol=1e-6, atol=1e-9)
    assert models[2].solver_ == ("dual" if n_hidden == 80 else "primal")
    assert_array_equal(models[2].coef_, models[models[2].solver_ == "dual"].coef_)


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 3.0}])
def test_a_path_is_the_direct_solutions(solver, class_weight):
    model = RVFLClassifier(
        20, class_weight=class_weight, solver=solver, weighting="authors", random_state=0
    )
    Cs = np.logspace(-4, 4, 9)
    path = model.fit(X, Y3).coef_path(Cs)
    for C, coef in zip(Cs, path, strict=True):
        direct = clone(model).set_params(C=C).fit(X, Y3)
        assert_allclose(coef, direct.coef_, rtol=1e-8, atol=1e-8 * abs(direct.coef_).max())
    assert_allclose(model.coef_path([model.C])[0], model.coef_, rtol=1e-12)


def test_a_path_takes_present_class_weights_but_no_other_features():
    model = RVFLClassifier(10, random_state=0).fit(X, Y3)
    path = model.set_params(class_weight="balanced").coef_path([2.0])
    assert_allclose(path[0], clone(model).set_params(C=2.0).fit(X, Y3).coef_, rtol=1e-9)
    model.set_params(activation="sin")
    with pytest.raises(ValueError, match="shape what is kept.*another 'activation'.*call fit"):
        model.coef_path([1.0])


@given(
    st.lists(st.integers(0, 150), max_size=6),
    st.sampled_from([None, "balanced", {"rare": 4.0}]),
    st.sampled_from(["primal", "dual", "auto"]),
)
def test_any_chunks_give_the_fit(cuts, class_weight, solver):
    rows, y = X[:150], Y[:150]
    weights = np.random.default_rng(1).integers(0, 3, 150).astype(float)
    model = RVFLClassifier(
        40, class_weight=class_weight, solver=solver, chunk_size=31, random_state=0
    )
    known = clone(model).fit(rows, y, weights)
    edges = [0, *sorted(cuts), 150]
    for low, high in pairwise(edges):
        if high > low:
            model.partial_fit(rows[low:high], y[low:high], ["usual", "rare"], weights[low:high])
    assert_allclose(model.coef_, known.coef_, rtol=1e-8, atol=1e-9)
    assert_allclose(model.class_count_, known.class_count_)
    assert model.solver_ == known.solver_


def test_partial_fit_goes_on_after_fit_and_after_pickling():
    known = RVFLClassifier(30, random_state=0).fit(X, Y)
    for first in (20, 150):
        model = RVFLClassifier(30, random_state=0).fit(X[:first], Y[:first])
        for each in (model, pickle.loads(pickle.dumps(model))):
            each.partial_fit(X[first:], Y[first:])
            assert_allclose(each.coef_, known.coef_, rtol=1e-9, atol=1e-11)
    # A second fit forgets the rows.
    assert_allclose(model.fit(X[:100], Y[:100]).class_count_.sum(), 100)


def test_classes_may_come_late_in_parts():
    model = RVFLClassifier(10, class_weight="balanced", random_state=0)
    order = np.argsort(Y3, kind="stable")
    for rows in np.array_split(order, 6):
        model.partial_fit(X[rows], Y3[rows], classes=[2, 0, 1])
        assert np.isfinite(model.coef_).all()
    known = RVFLClassifier(10, class_weight="balanced", random_state=0).fit(X, Y3)
    assert_allclose(model.coef_, known.coef_, rtol=1e-8)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_are_repetitions(class_weight):
    weights = RNG.integers(0, 3, len(Y3))
    model = RVFLClassifier(12, class_weight=class_weight, random_state=0)
    one = clone(model).fit(X, Y3, weights)
    other = clone(model).fit(np.repeat(X, weights, axis=0), np.repeat(Y3, weights))
    assert_allclose(one.coef_, other.coef_, rtol=1e-9)
    doubled = clone(model).set_params(C=0.5).fit(X, Y3, 2 * weights)
    assert_allclose(one.predict_proba(X), doubled.predict_proba(X), rtol=1e-9)


def test_class_weights_are_sample_weights():
    model = RVFLClassifier(12, class_weight={"rare": 5.0}, random_state=0).fit(X, Y)
    known = RVFLClassifier(12, random_state=0).fit(X, Y, np.where(Y == "rare", 5.0, 1.0))
    assert_allclose(model.coef_, known.coef_, rtol=1e-9)


def test_rows_and_names_may_be_permuted():
    model = RVFLClassifier(12, class_weight="balanced", random_state=0).fit(X, Y3)
    order = RNG.permutation(len(Y3))
    again = clone(model).fit(X[order], Y3[order])
    assert_allclose(again.coef_, model.coef_, rtol=1e-9)
    names = np.array(["c", "a", "b"])
    renamed = clone(model).fit(X, names[Y3])
    assert_array_equal(renamed.predict(X), names[model.predict(X)])
    assert_allclose(renamed.coef_[:, [2, 0, 1]], model.coef_, rtol=1e-9)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_rows_are_dense_ones(make):
    rows = np.where(abs(X) > 0.7, X, 0.0)
    known = RVFLClassifier(12, random_state=0).fit(rows, Y)
    model = RVFLClassifier(12, chunk_size=50, random_state=0).fit(make(rows), Y)
    assert_allclose(model.coef_, known.coef_, rtol=1e-9)
    assert_allclose(model.predict_proba(make(rows)), known.predict_proba(rows), rtol=1e-9)


def test_float32_and_frames():
    known = RVFLClassifier(12, random_state=0).fit(X.astype(np.float32).astype(float), Y)
    model = RVFLClassifier(12, random_state=0).fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == np.float64
    assert_allclose(model.coef_, known.coef_, rtol=1e-9)
    frame = pd.DataFrame(X, columns=list("abcd"))
    framed = RVFLClassifier(12, random_state=0).fit(frame, pd.Series(Y))
    assert framed.feature_names_in_.tolist() == list("abcd")
    assert_allclose(framed.predict_proba(frame), model.predict_proba(X), atol=1e-5)


def test_a_seed_draws_one_layer_and_labels_do_not_matter_to_it():
    one = RVFLClassifier(12, random_state=5).fit(X, Y)
    other = RVFLClassifier(12, random_state=5).fit(X[:40], Y3[:40])
    assert_array_equal(one.random_weights_, other.random_weights_)
    assert_array_equal(one.random_bias_, other.random_bias_)
    third = RVFLClassifier(12, random_state=6).fit(X, Y)
    assert (third.random_weights_ != one.random_weights_).all()


def test_probabilities_are_of_no_prior_and_can_be_calibrated():
    model = RVFLClassifier(30, class_weight="balanced", random_state=0).fit(X, Y)
    assert np.isnan(model.effective_prior_).all()
    assert induced_prior(model, Y, model.classes_) is None
    share = (Y == "rare").mean()
    assert model.predict_proba(X)[:, 0].mean() > 2 * share
    calibrated = CalibratedClassifierCV(model, method="sigmoid", cv=3).fit(X, Y)
    assert abs(calibrated.predict_proba(X)[:, 0].mean() - share) < 0.02


def test_constant_and_doubled_columns():
    rows = np.column_stack([X, X[:, 0], np.ones(len(X)), np.zeros(len(X))])
    model = RVFLClassifier(12, C=1e10, random_state=0).fit(rows, Y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.coef_path(np.logspace(-10, 12, 5))).all()


def test_skops():
    for model in (
        RVFLClassifier(12, random_state=0).fit(X, Y),
        RVFLClassifier(12, random_state=0).fit(X[:10], Y3[:10]),
    ):
        data = sio.dumps(model)
        trusted = sio.get_untrusted_types(data=data)
        assert all(name.startswith("imbkit.rvfl.") for name in trusted), trusted
        loaded = sio.loads(data, trusted=trusted)
        assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
        assert_array_equal(loaded.coef_path([0.1, 1.0]), model.coef_path([0.1, 1.0]))
        assert_array_equal(
            loaded.partial_fit(X, model.classes_[Y3 % len(model.classes_)]).coef_,
            model.partial_fit(X, model.classes_[Y3 % len(model.classes_)]).coef_,
        )
