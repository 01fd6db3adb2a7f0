"""The deep ensemble: equal to its formulas written out, its votes, weights and identities."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import softmax

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.rvfl import EDRVFLClassifier, RVFLClassifier
from imbkit.rvfl._device import on_device
from imbkit.rvfl._stacked import moments

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4)) * [1, 2, 0.5, 1] + [0, 3, 0, -1]
Y = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=240), [0.5, 1.5])
Y2 = np.where(X[:, 0] + RNG.normal(size=240) > 1.6, "rare", "usual")
PLAIN = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sin": np.sin}


def made(**settings):
    return EDRVFLClassifier(**{"n_hidden": 12, "n_layers": 3, "random_state": 3, **settings})


def written_out(model, X, y, rows, v=None):
    """Scores of rows by each layer, from the formulas alone."""
    v = np.ones(len(y)) if v is None else v
    rng = np.random.RandomState(model.random_state)
    T = (y[:, None] == np.unique(y)).astype(float)
    n_k = v @ T
    balanced = model.class_weight == "balanced"
    w = (v.sum() / n_k if balanced else np.ones(T.shape[1])) @ T.T * v
    a = (v.sum() / n_k.min() if balanced else 1.0) / model.C
    both, n, found = np.vstack([X, rows]), len(X), []
    hidden = np.empty((len(both), 0))
    for _ in range(model.n_layers):
        inputs = np.hstack([both, hidden])
        s = model.weight_scale
        W = rng.uniform(-s, s, (inputs.shape[1], model.n_hidden))
        z = inputs @ W + rng.uniform(0, s, model.n_hidden)
        if model.standardize:
            mean = v @ z[:n] / v.sum()
            z = (z - mean) / np.sqrt(v @ (z[:n] - mean) ** 2 / (v.sum() - 1))
        hidden = PLAIN[model.activation](z)
        H = np.hstack([both] * model.direct_link + [hidden] + [np.ones((len(both), 1))])
        gram = H[:n].T @ (w[:, None] * H[:n])
        right = H[:n].T @ (w[:, None] * T)
        found.append(H[n:] @ np.linalg.solve(a * np.eye(len(gram)) + gram, right))
    return np.array(found)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"activation": "tanh", "class_weight": "balanced", "C": 5.0, "weight_scale": 0.3},
        {"standardize": False, "n_layers": 2},
        {"direct_link": False, "activation": "sin", "solver": "dual"},
        {"n_layers": 5, "chunk_size": 31, "solver": "primal"},
    ],
    ids=lambda each: ",".join(each) or "plain",
)
@pytest.mark.parametrize("y", [Y, Y2], ids=["three", "two"])
def test_equal_to_the_formulas(settings, y):
    model = made(**settings).fit(X[:200], y[:200])
    expected = written_out(model, X[:200], y[:200], X[200:])
    assert_allclose(model.layer_scores(X[200:]), expected, rtol=1e-8, atol=1e-9)


def test_what_is_kept_of_the_projections():
    model = made().fit(X, Y)
    z = X @ model.random_weights_[0] + model.random_bias_[0]
    assert_allclose(model.projection_mean_[0], z.mean(axis=0), rtol=1e-12)
    assert_allclose(model.projection_scale_[0], z.std(axis=0, ddof=1), rtol=1e-12)
    assert [W.shape for W in model.random_weights_] == [(4, 12), (16, 12), (16, 12)]
    assert model.coef_.shape == (3, 17, 3)


@pytest.mark.parametrize("y", [Y, Y2], ids=["three", "two"])
def test_soft_votes_are_the_mean_of_the_layers(y):
    model = made().fit(X, y)
    mean = model.layer_scores(X).mean(axis=0)
    assert_array_equal(model.predict(X), model.classes_[mean.argmax(axis=1)])
    assert_allclose(model.predict_proba(X), softmax(mean, axis=1), rtol=1e-12)
    decided = mean[:, 1] - mean[:, 0] if y is Y2 else mean
    assert_allclose(model.decision_function(X), decided, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("y", [Y, Y2], ids=["three", "two"])
def test_hard_votes_are_counted(y):
    model = made(voting="hard", n_layers=4).fit(X, y)
    votes = model.layer_scores(X).argmax(axis=2)
    counts = np.array([np.bincount(each, minlength=len(model.classes_)) for each in votes.T])
    ties = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert ties.any()
    # Of equal counts the first class.
    assert_array_equal(model.predict(X), model.classes_[counts.argmax(axis=1)])
    assert_allclose(model.predict_proba(X), counts / 4)


def test_the_two_ways_to_vote_share_their_layers():
    soft, hard = made().fit(X, Y), made(voting="hard").fit(X, Y)
    assert_array_equal(soft.coef_, hard.coef_)
    assert (soft.predict(X) != hard.predict(X)).any()


def test_one_standardised_layer_is_one_with_scaled_weights():
    deep = made(n_layers=1).fit(X, Y)
    z = X @ deep.random_weights_[0] + deep.random_bias_[0]
    z = (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)
    linear = RVFLClassifier(0).fit(np.hstack([X, np.maximum(z, 0)]), Y)
    found = linear.decision_function(np.hstack([X, np.maximum(z, 0)]))
    assert_allclose(deep.decision_function(X), found, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("size", [1, 50, 239, 240, 8192])
def test_chunks_do_not_matter(size):
    model, whole = made(chunk_size=size).fit(X, Y), made().fit(X, Y)
    assert_allclose(model.coef_, whole.coef_, rtol=1e-7, atol=1e-9)
    assert_allclose(model.layer_scores(X), whole.layer_scores(X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_integer_weights_are_repeated_rows(class_weight, solver):
    v = RNG.integers(0, 4, 240)
    model = made(class_weight=class_weight, solver=solver)
    once = model.fit(X, Y, sample_weight=v).layer_scores(X)
    often = made(class_weight=class_weight, solver=solver).fit(X.repeat(v, axis=0), Y.repeat(v))
    assert_allclose(once, often.layer_scores(X), rtol=1e-7, atol=1e-9)


def test_weights_against_the_formulas():
    v = RNG.uniform(0.2, 3, 240)
    model = made(class_weight="balanced").fit(X, Y, sample_weight=v)
    assert_allclose(model.layer_scores(X), written_out(model, X, Y, X, v), rtol=1e-8, atol=1e-9)


def test_weights_may_be_shares():
    v = np.full(240, 1 / 240)
    shares = made(C=240.0).fit(X, Y, sample_weight=v)
    assert (shares.projection_scale_ > 0.1).all()
    assert (shares.projection_scale_ < 100).all()


def test_a_path_is_so_many_fits():
    model = made(class_weight="balanced").fit(X, Y)
    path = model.coef_path([0.01, 1, 100])
    for C, coef in zip([0.01, 1, 100], path, strict=True):
        alone = made(class_weight="balanced", C=C).fit(X, Y)
        assert_allclose(coef, alone.coef_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("chunk_size", [50, 8192])
def test_sparse_rows_give_the_same(chunk_size):
    rows = np.where(np.abs(X) < 0.7, 0, X)
    dense = made(chunk_size=chunk_size).fit(rows, Y)
    thin = made(chunk_size=chunk_size).fit(sparse.csr_array(rows), Y)
    found = thin.decision_function(sparse.csr_matrix(rows))
    assert_allclose(found, dense.decision_function(rows), rtol=1e-7, atol=1e-9)


def test_labels_may_be_renamed_and_rows_shuffled():
    order = RNG.permutation(240)
    names = np.array(["b", "c", "a"])
    model, other = made().fit(X, Y), made().fit(X[order], names[Y[order]])
    assert_array_equal(names[model.predict(X)], other.predict(X))


def test_columns_without_spread_do_no_harm():
    rows = np.column_stack([np.full(240, 1e3), np.zeros(240)])
    model = made().fit(rows, Y)
    assert_array_equal(model.projection_scale_[0], 1)
    assert np.isfinite(model.decision_function(rows)).all()


def test_moments_keep_their_digits_far_from_zero():
    z, v = RNG.normal(size=(500, 3)) + 1e6, RNG.integers(1, 4, 500).astype(float)
    cuts = [0, 1, 130, 500]
    spans = [slice(a, b) for a, b in pairwise(cuts)]
    mean, deviation = moments(((at, z[at]) for at in spans), v, on_device(None, "test"))
    repeated = z.repeat(v.astype(int), axis=0)
    assert_allclose(mean, repeated.mean(axis=0), rtol=1e-14)
    assert_allclose(deviation, repeated.std(axis=0, ddof=1), rtol=1e-10)


def test_a_pickle_predicts_the_same():
    model = made().fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.decision_function(X), model.decision_function(X))


def test_no_part_by_part():
    assert not hasattr(EDRVFLClassifier(), "partial_fit")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("n_layers", 0), ("n_layers", 1.5), ("voting", "most"), ("standardize", "yes"), ("C", 0)],
)
def test_bad_parameters(parameter, value):
    with pytest.raises((InvalidParameterError, ValueError), match=parameter):
        made(**{parameter: value}).fit(X, Y)


def test_no_features_at_all():
    with pytest.raises(InvalidParameterError, match="n_hidden must be 1 or more"):
        made(n_hidden=0, direct_link=False).fit(X, Y)


def test_one_class():
    with pytest.raises(DataError, match="two classes or more"):
        made().fit(X, np.zeros(240))


def test_a_path_for_other_layers():
    model = made().fit(X, Y).set_params(n_layers=2)
    with pytest.raises(InvalidParameterError, match="n_layers"):
        model.coef_path([1.0])
