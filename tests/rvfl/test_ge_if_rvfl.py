"""GE-IFRVFL: the published formula with every matrix formed, the published demo, and limits."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import skops.io as sio
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_blobs

from imbkit._core.card import Card
from imbkit.exceptions import ImbkitWarning
from imbkit.rvfl import GEIFRVFLClassifier, IFRVFLClassifier, RVFLClassifier
from imbkit.rvfl._hidden import HiddenLayer

# Classes of 100, 40 and 20 rows that overlap a little.
X, Y3 = make_blobs([100, 40, 20], 4, center_box=(-4, 4), cluster_std=1.5, random_state=3)
X /= X.std(axis=0)
Y = (Y3 > 0).astype(int)
GRAPHS = ["lda", "lfda", "mda"]


def features(model, rows):
    hidden = np.maximum(rows @ model.random_weights_ + model.random_bias_, 0)
    return np.hstack([rows, hidden, np.ones((len(rows), 1))])


def laplacians(graph, H, y):
    """L_w and L_b of a graph, n x n each."""
    n = len(y)
    same = y[:, None] == y
    sizes = same.sum(axis=1)
    if graph == "lda":
        W_w = same / sizes
        return np.eye(n) - W_w, W_w - 1 / n
    squares = ((H[:, None] - H) ** 2).sum(axis=2)
    if graph == "lfda":
        A = np.exp(-squares / (2 * squares.mean()))
        W_w = np.where(same, A / sizes, 0)
        W_b = np.where(same, A * (1 / n - 1 / sizes), 1 / n)
    else:
        W_w, W_b = np.zeros((n, n)), np.zeros((n, n))
        for i in range(n):
            own, other = np.flatnonzero(same[i]), np.flatnonzero(~same[i])
            W_w[i, own[np.argsort(squares[i, own])[:5]]] = 1
            W_b[i, other[np.argsort(squares[i, other])[:5]]] = 1
        W_w, W_b = np.maximum(W_w, W_w.T), np.maximum(W_b, W_b.T)
    return np.diag(W_w.sum(axis=1)) - W_w, np.diag(W_b.sum(axis=1)) - W_b


def formula(model, rows, y, scores):
    """The coefficients as published, or with another weighting or form."""
    H, T = features(model, rows), (y[:, None] == model.classes_).astype(float)
    n, n_k = len(y), T.sum(axis=0)
    w = n / n_k if model.class_weight == "balanced" else np.ones(len(n_k))
    a = n / n_k.min() / model.C if model.class_weight == "balanced" else 1 / model.C
    S = np.diag((T @ w) * scores)
    P = np.eye(H.shape[1])
    if model.graph is not None:
        L_w, L_b = laplacians(model.graph, H, y)
        scale = 1 / n if model.graph_scale == "mean" else 1.0
        S_w, S_b = scale * H.T @ L_w @ H, scale * H.T @ L_b @ H
        inner = S_b + model.graph_ridge * np.eye(len(P))
        if model.graph_form == "authors":
            G = np.linalg.solve(inner, S_w)
        else:
            values, vectors = np.linalg.eigh(inner)
            half = (vectors / np.sqrt(values)) @ vectors.T
            G = half @ S_w @ half
        P = P + model.graph_strength * G
    left, right = {"authors": (S @ S, S), "wls": (S, S), "squared": (S @ S, S @ S)}[model.weighting]
    return np.linalg.solve(a * P + H.T @ left @ H, H.T @ right @ T)


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("graph", [*GRAPHS, None])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weighting": "wls", "graph_scale": "mean", "graph_strength": 0.1},
        {"weighting": "squared", "graph_form": "symmetric", "class_weight": None},
    ],
    ids=["published", "wls mean", "squared symmetric"],
)
@pytest.mark.parametrize("y", [Y, Y3], ids=["two", "three"])
def test_the_solution_is_that_of_the_formula(solver, graph, settings, y):
    # The ridge of the graph is larger than published, as the formula loses digits otherwise.
    model = GEIFRVFLClassifier(
        6,
        C=7.0,
        graph=graph,
        graph_ridge=0.1,
        kernel_width=4.0,
        solver=solver,
        chunk_size=50,
        random_state=0,
    ).set_params(**settings)
    model.fit(X, y)
    known = formula(model, X, y, model.fuzzy_scores_)
    assert_allclose(model.coef_, known, rtol=1e-7, atol=1e-8 * abs(known).max())
    assert model.solver_ == solver
    assert np.isnan(model.graph_matrix_condition_) == (graph is None)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("form", ["authors", "symmetric"])
@pytest.mark.parametrize("scale", ["sum", "mean"])
def test_both_systems_agree(graph, form, scale):
    rows, y = X[:50], Y3[:50]
    model = GEIFRVFLClassifier(
        70,
        graph=graph,
        graph_form=form,
        graph_scale=scale,
        fuzzy="dual_center",
        kernel_width="median",
        random_state=0,
    )
    primal, dual, auto = (
        clone(model).set_params(solver=each).fit(rows, y) for each in ("primal", "dual", "auto")
    )
    assert_allclose(dual.coef_, primal.coef_, rtol=1e-6, atol=1e-6 * abs(primal.coef_).max())
    assert_allclose(dual.graph_matrix_condition_, primal.graph_matrix_condition_, rtol=1e-6)
    assert auto.solver_ == "dual"
    assert_array_equal(auto.coef_, dual.coef_)
    # They are held as they are, without a matrix that no dual system needs.
    assert dual._gathered.sums is None


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("graph", [*GRAPHS, None])
@pytest.mark.parametrize("form", ["authors", "symmetric"])
def test_a_path_is_the_direct_solutions(graph, form, solver):
    model = GEIFRVFLClassifier(
        10, graph=graph, graph_form=form, kernel_width=4.0, solver=solver, random_state=0
    )
    Cs = np.logspace(-3, 3, 4)
    path = model.fit(X, Y).coef_path(Cs)
    for C, coef in zip(Cs, path, strict=True):
        known = clone(model).set_params(C=C).fit(X, Y).coef_
        assert_allclose(coef, known, rtol=1e-8, atol=1e-8 * abs(known).max())


def test_a_path_takes_the_present_strength_of_the_graph():
    model = GEIFRVFLClassifier(10, graph_strength=0.0, kernel_width=4.0, random_state=0).fit(X, Y)
    assert np.isnan(model.graph_matrix_condition_)
    other = clone(model).set_params(graph_strength=0.5, graph_ridge=0.1).fit(X, Y)
    path = model.set_params(graph_strength=0.5, graph_ridge=0.1).coef_path([1.0])
    assert_allclose(path[0], other.coef_, rtol=1e-9)
    with pytest.raises(ValueError, match="shape what is kept.*'graph'"):
        model.set_params(graph="lfda").coef_path([1.0])


@pytest.mark.parametrize("n_hidden", [8, 300])
@pytest.mark.parametrize("graph", ["lda", None])
@pytest.mark.parametrize("weighting", ["authors", "wls", "squared"])
def test_any_chunks_give_the_fit(n_hidden, graph, weighting):
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, len(Y3)).astype(float)
    scores = rng.random(len(Y3)) * (rng.random(len(Y3)) < 0.8)
    model = GEIFRVFLClassifier(
        n_hidden, graph=graph, fuzzy="given", weighting=weighting, graph_ridge=0.1, random_state=0
    )
    known = clone(model).fit(X, Y3, weights, scores)
    for cuts in ([80], [3, 4, 100], range(10, 160, 10)):
        parts = clone(model)
        for rows in np.split(np.arange(len(Y3)), cuts):
            parts.partial_fit(X[rows], Y3[rows], [0, 1, 2], weights[rows], scores=scores[rows])
            parts = pickle.loads(pickle.dumps(parts))
        scale = abs(known.coef_).max()
        assert_allclose(parts.coef_, known.coef_, rtol=1e-8, atol=1e-8 * scale)
        assert parts.solver_ == known.solver_
        assert_array_equal(parts.fuzzy_scores_, scores[rows])


def test_given_scores_are_those_made_here():
    known = GEIFRVFLClassifier(10, kernel_width=4.0, random_state=0).fit(X, Y)
    model = GEIFRVFLClassifier(10, fuzzy="given", random_state=0)
    model.fit(X, Y, scores=known.fuzzy_scores_)
    assert_array_equal(model.coef_, known.coef_)
    assert not hasattr(model, "membership_")
    # What was made by an earlier fit goes.
    known.set_params(fuzzy=None).fit(X, Y)
    for name in ("fuzzy_scores_", "membership_", "class_radius_", "score_method_"):
        assert not hasattr(known, name)


@pytest.mark.parametrize("graph", ["lda", "lfda", None])
@pytest.mark.parametrize("fuzzy", ["kernel", "linear", "dual_center", None])
@pytest.mark.filterwarnings("ignore:.*at most half of a class:imbkit.exceptions.ImbkitWarning")
@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_weights_are_repetitions(graph, fuzzy, solver):
    weights = np.random.default_rng(0).integers(0, 3, len(Y))
    model = GEIFRVFLClassifier(8, graph=graph, fuzzy=fuzzy, kernel_width=4.0, solver=solver)
    model.set_params(random_state=0, graph_ridge=0.1, graph_strength=0.1)
    one = clone(model).fit(X, Y, weights)
    other = clone(model).fit(np.repeat(X, weights, axis=0), np.repeat(Y, weights))
    assert_allclose(one.coef_, other.coef_, rtol=1e-7, atol=1e-8 * abs(one.coef_).max())
    if fuzzy is not None:
        assert_allclose(np.repeat(one.fuzzy_scores_, weights), other.fuzzy_scores_, atol=1e-10)
        assert not one.fuzzy_scores_[weights == 0].any()
        assert one.fuzzy_scores_.shape == one.membership_.shape == (len(Y),)


@pytest.mark.parametrize("graph", GRAPHS)
def test_rows_and_names_may_be_permuted(graph):
    model = GEIFRVFLClassifier(10, graph=graph, kernel_width=4.0, random_state=0).fit(X, Y3)
    order = np.random.default_rng(0).permutation(len(Y3))
    again = clone(model).fit(X[order], Y3[order])
    assert_allclose(again.coef_, model.coef_, rtol=1e-6, atol=1e-7 * abs(model.coef_).max())
    names = np.array(["c", "a", "b"])
    renamed = clone(model).fit(X, names[Y3])
    assert_array_equal(renamed.predict(X), names[model.predict(X)])
    assert_allclose(
        renamed.coef_[:, [2, 0, 1]], model.coef_, rtol=1e-6, atol=1e-7 * abs(model.coef_).max()
    )
    assert_allclose(renamed.class_radius_[[2, 0, 1]], model.class_radius_)


@pytest.mark.parametrize("graph", [*GRAPHS, None])
def test_sparse_rows_are_dense_ones(graph):
    rows = np.where(abs(X) > 0.5, X, 0.0)
    model = GEIFRVFLClassifier(8, graph=graph, fuzzy="linear", random_state=0)
    known = clone(model).fit(rows, Y)
    found = model.fit(sparse.csr_array(rows), Y)
    assert_allclose(found.coef_, known.coef_, rtol=1e-6, atol=1e-8 * abs(known.coef_).max())


def test_ablations_are_settings():
    settings = {"random_state": 0, "C": 3.0}
    off = {"graph": None, "fuzzy": None}
    pairs = [
        (
            GEIFRVFLClassifier(8, class_weight=None, **off, **settings),
            RVFLClassifier(8, **settings),
        ),
        (
            GEIFRVFLClassifier(8, direct_link=False, weighting="wls", **off, **settings),
            RVFLClassifier(8, direct_link=False, class_weight="balanced", **settings),
        ),
        (
            GEIFRVFLClassifier(
                8, graph=None, class_weight=None, weighting="squared", kernel_width=4.0, **settings
            ),
            IFRVFLClassifier(8, kernel_width=4.0, **settings),
        ),
        (
            GEIFRVFLClassifier(8, graph_strength=0.0, graph="mda", kernel_width=4.0, **settings),
            GEIFRVFLClassifier(8, graph=None, kernel_width=4.0, **settings),
        ),
    ]
    for one, other in pairs:
        assert_array_equal(one.fit(X, Y3).coef_, other.fit(X, Y3).coef_)


def test_no_scores_kept_if_not_wanted():
    model = IFRVFLClassifier(5, kernel_width=4.0, store_scores=False, random_state=0).fit(X, Y)
    assert not hasattr(model, "fuzzy_scores_")
    assert not hasattr(model, "membership_")
    assert model.class_radius_.shape == (2,)
    assert model.score_method_ == "exact"


@pytest.mark.parametrize("cls", [GEIFRVFLClassifier, IFRVFLClassifier])
def test_skops(cls):
    model = cls(8, kernel_width=4.0, random_state=0).fit(X, Y)
    data = sio.dumps(model)
    trusted = sio.get_untrusted_types(data=data)
    assert all(name.startswith("imbkit.rvfl.") for name in trusted), trusted
    loaded = sio.loads(data, trusted=trusted)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert_array_equal(loaded.coef_path([0.1, 1.0]), model.coef_path([0.1, 1.0]))


def test_two_hundred_thousand_rows_in_little_memory():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200_000, 5))
    y = rows[:, 0] + rng.normal(size=200_000) > 2.5
    model = GEIFRVFLClassifier(20, fuzzy="given", random_state=0)
    tracemalloc.start()
    model.fit(rows, y, scores=rng.random(200_000))
    model.predict(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A byte for each pair of rows would be 40 GB.
    assert peak < 200e6
    assert model.fuzzy_scores_.shape == (200_000,)


class Demo(GEIFRVFLClassifier):
    """The authors' draw: MATLAB's default generator, which fills columns first."""

    card = Card()

    def _draw(self, n_columns):
        uniform = np.random.RandomState(5489).random_sample
        weights = 2 * uniform(n_columns * self.n_hidden) - 1
        weights = weights.reshape((n_columns, self.n_hidden), order="F")
        return HiddenLayer(weights, uniform(self.n_hidden), self.activation, True, True)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 83.1938),
        ({"solver": "dual"}, 83.1938),
        ({"weighting": "squared"}, 86.1244),
        ({"weighting": "wls"}, 77.4920),
        ({"graph_form": "symmetric"}, 65.8293),
        ({"graph": None}, 68.6005),
        ({"graph": "lfda"}, 68.8397),
        ({"kernel_width": 1.0}, 65.47),
        ({"kernel_width": 4.0}, 62.26),
        ({"kernel_width": 16.0}, 68.92),
    ],
)
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_the_published_demo(data_folder, settings, expected):
    frame = pd.read_parquet(data_folder / "abalone9_18.parquet")
    target = frame.iloc[:, -1]
    columns = frame.iloc[:, :-1].select_dtypes("number").to_numpy(float)
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0, ddof=1)
    y = (target == target.value_counts().index[-1]).to_numpy().astype(int)
    assert (len(y), y.sum(), y[510:].sum()) == (731, 42, 12)
    published = {"kernel_width": 0.125, "neighbor_correction": None, "weighting": "authors"}
    model = Demo(23, C=1e4, **published).set_params(**settings)
    found = model.fit(columns[:510], y[:510]).predict(columns[510:])
    truth = y[510:]
    balanced = 50 * (found[truth == 1].mean() + (1 - found[truth == 0]).mean())
    assert abs(balanced - expected) < (1e-3 if expected * 1e4 % 100 else 1e-2)


def test_warnings_say_what_scores_did():
    rng = np.random.default_rng(0)
    with pytest.warns(ImbkitWarning, match="GEIFRVFLClassifier: some row of every class should"):
        GEIFRVFLClassifier(5, kernel_width=0.01).fit(X, Y)
    rare = rng.random(400) < 0.05
    rows = rng.normal(size=(400, 2)) + 1.5 * rare[:, None]
    with pytest.warns(ImbkitWarning, match="at most half of a class should have the score 0"):
        GEIFRVFLClassifier(5, kernel_width=1.0, neighbor_correction=None).fit(rows, rare)
