"""Intuitionistic fuzzy scores against their definition, and what must not change them."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.preprocessing import scale

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.rvfl import _fuzzy, _row_tiles, intuitionistic_fuzzy_scores
from imbkit.rvfl._fuzzy import FuzzySettings, fuzzy_scores
from imbkit.rvfl._fuzzy_warnings import check_scores_left

KINDS = ("kernel", "linear", "dual_center")
SLACK = 1e-12  # what counts as a tie


def squared_distances(X):
    X = np.asarray(X, dtype=np.longdouble)
    return np.stack([((X - row) ** 2).sum(axis=1) for row in X])


def oracle(X, y, *, width=1.0, fuzzy="kernel", eps=1e-4, prior=False):
    """Membership, non-membership, scores, radii and the radius of neighbourhoods."""
    y, n = np.asarray(y), len(y)
    classes = np.unique(y)
    distance2 = squared_distances(X)
    if fuzzy != "linear":
        distance2 = -2 * np.expm1(-distance2 / np.longdouble(width) ** 2)  # in the kernel's space
    own, to = np.zeros(n, np.longdouble), np.zeros((n, len(classes)), np.longdouble)
    for k, label in enumerate(classes):
        inside = np.flatnonzero(y == label)
        spread = distance2[np.ix_(inside, inside)].mean() / 2
        to[:, k] = np.maximum(distance2[:, inside].mean(axis=1) - spread, 0)
        own[inside] = to[inside, k]
    place = np.searchsorted(classes, y)
    if fuzzy == "dual_center":
        largest = np.array([own[y == label].max() for label in classes])[place]
        membership = 1 - own / (largest + eps)
        to[np.arange(n), place] = np.inf
        other = to.min(axis=1)
        total = own + other
        v = np.where(total > 0, own / np.where(total > 0, total, 1), 0)
        share = np.array([np.mean(y == label) for label in classes])[place]
        scores = np.sqrt((membership**2 + (1 - v) ** 2) / 2) * (1 - share)
        return membership.astype(float), v.astype(float), scores.astype(float)
    radii = np.sqrt(own)
    largest = np.array([radii[y == label].max() for label in classes])
    membership = 1 - radii / (largest[place] + eps)
    near = np.sqrt(distance2) < largest.max() * (1 - SLACK)
    size = np.array([(y == label).sum() for label in classes])[place] if prior else np.ones(n)
    foreign = (near & (y[:, None] != y)) @ (1 / size)
    every = near @ (1 / size)
    v = (1 - membership) * np.where(every > 0, foreign / np.where(every > 0, every, 1), 0)
    scores = np.where(
        v == 0,
        membership,
        np.where(membership <= v + SLACK, 0, (1 - v) / np.maximum(2 - membership - v, SLACK)),
    )
    return membership.astype(float), v.astype(float), scores.astype(float)


def scored(X, y, weights=None, **changed):
    """Scores of rows with classes 0, 1, ..., exactly and as published unless said otherwise."""
    y = np.asarray(y)
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    published = {"kernel_width": 1.0, "neighbor_correction": None}
    wanted = FuzzySettings(**{"score_method": "exact", "n_jobs": 1, **published, **changed})
    return fuzzy_scores(X, y, int(y.max()) + 1, weights, wanted)


def parts(found):
    return found.membership, found.nonmembership, found.scores


def blobs(n, p=3, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.minimum(rng.integers(0, 2 * n_classes, n) // 2, n_classes - 1)
    y[:n_classes] = np.arange(n_classes)
    return rng.normal(size=(n, p)) + y[:, None], y


@pytest.mark.parametrize("width", [0.125, 1.0, 4.0, 32.0])
@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_real_tables_have_the_scores_of_the_definition(load, width):
    X, y = load(return_X_y=True)
    X = scale(X)
    for one, other in zip(
        parts(scored(X, y, kernel_width=width)), oracle(X, y, width=width), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("fuzzy", KINDS)
def test_every_kind_is_that_of_the_definition(fuzzy, prior):
    X, y = blobs(400)
    changed = {"neighbor_correction": "prior" if prior else None, "radius_eps": 1e-3}
    found = scored(X + 1e4, y, fuzzy=fuzzy, kernel_width=1.7, **changed)
    expected = oracle(X + 1e4, y, fuzzy=fuzzy, width=1.7, eps=1e-3, prior=prior)
    for one, other in zip(parts(found), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)
    assert (found.scores == 0).any() == (fuzzy != "dual_center")


TABLES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=14
).filter(lambda rows: {0, 1} <= {row[2] for row in rows})


@settings(max_examples=150, deadline=None)
@given(TABLES, st.sampled_from(KINDS), st.sampled_from([0.3, 1.0, 50.0, 1e4]), st.booleans())
def test_ties_duplicates_and_single_rows(rows, fuzzy, width, prior):
    table = np.array(rows, dtype=float)
    X, y = table[:, :2], np.unique(table[:, 2], return_inverse=True)[1]
    wanted = {"fuzzy": fuzzy, "kernel_width": width}
    found = scored(X, y, **wanted, neighbor_correction="prior" if prior else None)
    expected = oracle(X, y, fuzzy=fuzzy, width=width, prior=prior)
    for one, other in zip(parts(found), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


@settings(max_examples=100, deadline=None)
@given(TABLES, st.data(), st.sampled_from(KINDS), st.booleans())
def test_weights_are_repetitions(rows, data, fuzzy, prior):
    table = np.array(rows, dtype=float)
    X, y = table[:, :2], np.unique(table[:, 2], return_inverse=True)[1]
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y)).map(np.array))
    times[[np.flatnonzero(y == k)[0] for k in np.unique(y)]] += 1
    wanted = {"fuzzy": fuzzy, "neighbor_correction": "prior" if prior else None}
    weighted = scored(X, y, times, **wanted)
    repeated = scored(np.repeat(X, times, axis=0), np.repeat(y, times), **wanted)
    for one, other in zip(parts(weighted), parts(repeated), strict=True):
        np.testing.assert_allclose(np.repeat(one, times), other, rtol=0, atol=1e-9)
    np.testing.assert_allclose(weighted.class_radius, repeated.class_radius, atol=1e-9)


def test_rows_without_weight_are_scored_but_count_for_nothing():
    X, y = blobs(300)
    weights = (np.arange(300) % 3 > 0).astype(float)
    kept = weights > 0
    for fuzzy in KINDS:
        found = scored(X, y, weights, fuzzy=fuzzy)
        alone = scored(X[kept], y[kept], fuzzy=fuzzy)
        for one, other in zip(parts(found), parts(alone), strict=True):
            np.testing.assert_allclose(one[kept], other, rtol=0, atol=1e-13)
        # A row far away is asked about only; its membership cannot fall below 0.
        far = np.vstack([X, [[50.0, 0, 0]]])
        more = scored(far, np.append(y, 0), np.append(weights, 0.0), fuzzy=fuzzy)
        np.testing.assert_allclose(more.scores[:-1], found.scores, rtol=0, atol=1e-12)
        assert more.membership[-1] >= 0


def test_an_idle_copy_of_a_row_has_nearly_its_score():
    X, y = blobs(300)
    doubled = scored(np.vstack([X, X]), np.tile(y, 2), np.repeat([1.0, 0.0], 300))
    np.testing.assert_allclose(doubled.scores[:300], doubled.scores[300:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("fuzzy", KINDS)
def test_names_and_order_of_classes_do_not_matter(fuzzy):
    X, y = blobs(300)
    one = scored(X, y, fuzzy=fuzzy)
    turned = scored(X, 2 - y, fuzzy=fuzzy)
    shuffled = np.random.default_rng(0).permutation(300)
    mixed = scored(X[shuffled], y[shuffled], fuzzy=fuzzy)
    np.testing.assert_allclose(turned.scores, one.scores, rtol=0, atol=1e-13)
    np.testing.assert_allclose(mixed.scores, one.scores[shuffled], rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("fuzzy", KINDS)
def test_tiles_of_any_size_give_the_same(monkeypatch, fuzzy, size):
    X, y = blobs(200)
    weights = np.random.default_rng(1).integers(0, 3, 200)
    expected = scored(X, y, weights, fuzzy=fuzzy)
    monkeypatch.setattr(_row_tiles, "TILE", size)
    found = scored(X, y, weights, fuzzy=fuzzy)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-13)


def test_threads_do_not_change_a_bit():
    X, y = blobs(3000)
    one, two = (scored(X, y, n_jobs=n_jobs).scores for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_wide_kernel_is_the_linear_score_in_other_units():
    X, y = blobs(200)
    width = 1e6
    wide = scored(X, y, kernel_width=width, radius_eps=1e-4 * np.sqrt(2) / width)
    linear = scored(X, y, fuzzy="linear", radius_eps=1e-4)
    np.testing.assert_allclose(wide.scores, linear.scores, rtol=0, atol=1e-9)


def test_the_kernel_width_has_the_unit_of_the_columns():
    X, y = blobs(200)
    one, other = scored(X, y, kernel_width=2.0), scored(X * 1000, y, kernel_width=2000.0)
    np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-12)


def test_limits_of_the_width():
    X, y = blobs(200)
    wide = scored(X, y, kernel_width=1e9)
    assert wide.membership.min() > 1 - 1e-4
    narrow = scored(X, y, kernel_width=1e-9)
    sizes = np.bincount(y)
    np.testing.assert_allclose(narrow.class_radius, np.sqrt(1 - 1 / sizes), rtol=1e-12)
    np.testing.assert_array_equal(narrow.nonmembership, 0)
    assert narrow.membership.max() < 2e-4


def test_a_class_of_two_rows_is_as_far_from_its_centre_as_can_be():
    X, y = np.array([[0.0], [1.0], [10.0], [11.0], [10.5]]), np.array([0, 0, 1, 1, 1])
    found = scored(X, y)
    assert found.membership[:2].max() < 1e-3
    single = scored(X[1:], y[1:])
    assert single.membership[0] == 1.0
    assert single.class_radius[0] == 0.0


def test_a_large_radius_eps_leaves_every_row_a_score():
    X, y = np.random.default_rng(0).normal(size=(300, 2)), np.arange(300) % 2
    assert (scored(X, y).scores == 0).any()
    found = scored(X, y, radius_eps=1.5)
    assert found.membership.min() > 0.5
    assert found.scores.min() > 0


@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("fuzzy", KINDS)
def test_sparse_rows(fuzzy, kind):
    X, y = blobs(250)
    X[np.abs(X) < 1] = 0
    weights = np.arange(250) % 4
    for width in (1.0, "median"):
        dense, thin = (
            intuitionistic_fuzzy_scores(
                table, y, fuzzy=fuzzy, kernel_width=width, radius_eps=0.1, sample_weight=weights
            )
            for table in (X, kind(X))
        )
        np.testing.assert_allclose(thin, dense, rtol=0, atol=1e-10)


def test_single_precision_is_read_as_it_is():
    X, y = blobs(200)
    X = X.astype(np.float32)
    np.testing.assert_array_equal(scored(X, y).scores, scored(X.astype(float), y).scores)


def test_the_median_width():
    X, y = blobs(301, n_classes=2)
    distances = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))[np.triu_indices(301, 1)]
    found = scored(X, y, kernel_width="median")
    assert found.kernel_width == pytest.approx(np.quantile(distances, 0.5, method="inverted_cdf"))
    times = np.random.default_rng(0).integers(0, 4, 301)
    weighted = scored(X, y, times, kernel_width="median")
    repeated = scored(np.repeat(X, times, axis=0), np.repeat(y, times), kernel_width="median")
    assert weighted.kernel_width == repeated.kernel_width
    assert scored(np.ones((4, 2)), np.array([0, 0, 1, 1]), kernel_width="median").kernel_width == 1
    large = np.random.default_rng(0).normal(size=(5000, 1))
    width = scored(
        large, np.arange(5000) % 2, fuzzy="dual_center", kernel_width="median",
        random_state=0, score_method="subset",
    ).kernel_width  # fmt: skip
    assert width == pytest.approx(0.6745 * np.sqrt(2), rel=0.05)


def test_auto_is_exact_while_that_is_cheap(monkeypatch):
    X, y = blobs(400)
    assert scored(X, y, score_method="auto").method == "exact"
    monkeypatch.setattr(_fuzzy, "_WORK", 1.0)
    monkeypatch.setattr(_fuzzy, "_CENTRE", 100)
    assert scored(X, y, score_method="auto", random_state=0).method == "subset"
    assert scored(X, y, score_method="exact").method == "exact"


def test_a_seed_is_drawn_from_only_where_something_is_drawn():
    X, y = blobs(100)
    state = np.random.RandomState(0)
    scored(X, y, random_state=state, kernel_width="median")
    assert state.randint(1000) == np.random.RandomState(0).randint(1000)


@pytest.mark.parametrize("fuzzy", ["kernel", "linear"])
def test_no_array_grows_with_the_square_of_the_rows(monkeypatch, fuzzy):
    monkeypatch.setattr(_fuzzy, "_WORK", 1.0)  # shorter, and as large
    monkeypatch.setattr(_fuzzy, "_LEAST", 2048)
    monkeypatch.setattr(_fuzzy, "_CENTRE", 1024)
    n, p = 200_000, 4
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, p)), (rng.random(n) < 0.02).astype(np.intp)
    tracemalloc.start()
    try:
        found = scored(X, y, fuzzy=fuzzy, score_method="auto", random_state=0, kernel_width=2.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.method == "subset"
    assert peak < 100e6  # one square array would take 320 gigabytes
    assert (found.scores > 0).any()


def test_exact_scores_hold_tiles_only():
    X, y = blobs(6000, p=5)
    tracemalloc.start()
    try:
        scored(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30e6  # of 288 megabytes


def test_warnings_say_what_is_lost():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(330, 2))
    y = np.where(np.arange(330) < 30, "rare", "usual")
    with pytest.warns(
        ImbkitWarning, match="at most half of a class.*'rare'.*'prior', another kernel_width or no"
    ):
        intuitionistic_fuzzy_scores(X, y, kernel_width=2, neighbor_correction=None)
    with pytest.warns(ImbkitWarning, match="too narrow.*Increase kernel_width"):
        intuitionistic_fuzzy_scores(X, y, kernel_width=1e-6)
    with pytest.warns(ImbkitWarning, match="of 0.01 or more.*'pair'.*two rows"):
        intuitionistic_fuzzy_scores(
            [[0], [1], [30], [31], [32]], ["pair"] * 2 + ["more"] * 3, fuzzy="linear"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        intuitionistic_fuzzy_scores(X + (y == "rare")[:, None] * 8, y, kernel_width="median")


def test_a_class_without_scores_is_refused():
    codes, weights, names = np.array([0, 0, 1]), np.array([1.0, 0, 1]), np.array(["a", "b"])
    check_scores_left(np.array([0.1, 0, 1]), codes, weights, names, "X")
    with pytest.raises(DataError, match="class 'a' that lost all.*kernel_width.*'prior'"):
        check_scores_left(np.array([0.0, 1, 1]), codes, weights, names, "X")


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"y": [1, 1, 1, 1]}, DataError, "two classes"),
        ({"y": [0.5, 0.1, 0.7, 0.2]}, ValueError, "continuous"),
        ({"sample_weight": [1, 1, 0, 0]}, DataError, "weight 0 only for class 1"),
        ({"sample_weight": [1, 1, 1]}, DataError, "sample_weight"),
        ({"sample_weight": [1, 1, 1, -1]}, DataError, "sample_weight"),
        ({"X": [[0], [1], [np.nan], [2]]}, ValueError, "NaN"),
        ({"X": [[0], [1e200], [-1e200], [2]]}, DataError, "must be finite.*StandardScaler"),
        ({"kernel_width": 0}, ValueError, "kernel_width"),
        ({"kernel_width": "mean"}, ValueError, "kernel_width"),
        ({"radius_eps": 0.0}, ValueError, "radius_eps"),
        ({"fuzzy": "cubic"}, ValueError, "fuzzy"),
        ({"score_method": "fast"}, ValueError, "score_method"),
        ({"neighbor_correction": "yes"}, ValueError, "neighbor_correction"),
        ({"fuzzy": "linear", "score_method": "rff"}, InvalidParameterError, "needs a kernel"),
    ],
)
def test_bad_input(wrong, error, text):
    given = {"X": [[0], [1], [5], [6]], "y": [0, 0, 1, 1], **wrong}
    with pytest.raises(error, match=text):
        intuitionistic_fuzzy_scores(given.pop("X"), given.pop("y"), **given)


def test_rounding_does_not_decide_between_equal_parts():
    half = np.full(3, 0.5)
    nearly = half - [0.0, 1e-15, 1e-9]
    scores = _fuzzy._joined(half, nearly)
    np.testing.assert_array_equal(scores[:2], 0)
    assert scores[2] == pytest.approx(0.5)
