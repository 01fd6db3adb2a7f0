"""The nearest class mean, against its definition, scikit-learn's centroids and what ships."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestCentroid
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit.calibration import NearestClassMeanClassifier
from imbkit.exceptions import DataError, ImbkitWarning

SETTINGS = [
    {"metric": metric, "normalize": scaled, "center": center}
    for metric in ("cosine", "euclidean")
    for scaled in (False, True)
    for center in (None, "rows", "classes")
]
ids = ["-".join(map(str, each.values())) for each in SETTINGS]


@pytest.fixture(scope="module", params=[2, 4])
def data(request):
    shares = {2: [0.7], 4: [0.7, 0.1, 0.1]}[request.param]
    X, y = make_classification(
        300, n_features=6, n_informative=5, n_redundant=0, n_classes=request.param,
        weights=shares, random_state=0,
    )  # fmt: skip
    return X + 1.0, y


def transformed(X, reference, y, weight, settings):
    center = 0.0
    if settings["center"] == "rows":
        center = np.average(reference, axis=0, weights=weight)
    elif settings["center"] == "classes":
        parts = [(reference[y == k], weight[y == k]) for k in np.unique(y)]
        center = np.mean([np.average(x, axis=0, weights=w) for x, w in parts], axis=0)
    rows = X - center
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if settings["normalize"] else rows


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("settings", SETTINGS, ids=ids)
def test_the_nearest_mean_wins(data, settings, weighted):
    X, y = data
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 5, y.size).astype(float) if weighted else np.ones(y.size)
    rows = transformed(X, X, y, weight, settings)
    means = [np.average(rows[y == k], axis=0, weights=weight[y == k]) for k in np.unique(y)]
    expected = cdist(rows, means, metric=settings["metric"]).argmin(axis=1)
    model = NearestClassMeanClassifier(**settings)
    model.fit(X, y, sample_weight=weight if weighted else None)
    np.testing.assert_allclose(model.means_, means, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_it_is_scikit_learns_centroid_where_both_can(data):
    X, y = data
    model = NearestClassMeanClassifier("euclidean", normalize=False, center=None).fit(X, y)
    centroid = NearestCentroid().fit(X, y)
    np.testing.assert_allclose(model.means_, centroid.centroids_, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), centroid.predict(X))
    centred = NearestClassMeanClassifier("euclidean", normalize=False, center="rows").fit(X, y)
    np.testing.assert_array_equal(centred.predict(X), centroid.predict(X))


def test_probabilities_are_the_softmax_of_half_squared_distances(data):
    X, y = data
    model = NearestClassMeanClassifier("euclidean", normalize=False, center=None).fit(X, y)
    expected = softmax(-(cdist(X, model.means_) ** 2) / 2, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9, atol=1e-300)
    assert not hasattr(NearestClassMeanClassifier("cosine"), "predict_proba")


@pytest.mark.parametrize("settings", SETTINGS, ids=ids)
def test_what_ships_decides_alike(data, settings):
    X, y = data
    labels = np.array(list("dcba"))[y]
    model = NearestClassMeanClassifier(**settings).fit(X, labels)
    shipped = deploy(model)
    assert type(shipped).__module__.startswith("sklearn.")
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    np.testing.assert_allclose(
        shipped.decision_function(X), model.decision_function(X), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows_need_no_center(data, kind):
    X, y = data
    for metric in ("cosine", "euclidean"):
        model = NearestClassMeanClassifier(metric, center=None)
        dense = model.fit(X, y).decision_function(X)
        np.testing.assert_allclose(
            model.fit(kind(X), y).decision_function(kind(X)), dense, rtol=1e-10
        )
    with pytest.raises(TypeError, match="dense data is required"):
        NearestClassMeanClassifier().fit(kind(X), y)


def test_rare_classes_keep_their_say():
    rng = np.random.default_rng(0)
    sizes = [2000, 20]
    X = np.vstack([rng.normal(k * 2.0, 1.0, size=(n, 3)) for k, n in enumerate(sizes)])
    y = np.repeat([0, 1], sizes)
    recalls = {}
    for center in ("classes", "rows"):
        found = NearestClassMeanClassifier(center=center).fit(X, y).predict(X)
        recalls[center] = [np.mean(found[y == k] == k) for k in (0, 1)]
    assert min(recalls["classes"]) > 0.85
    assert recalls["rows"][0] < 0.75


def test_frames_and_searches(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    grid = {"metric": ["cosine", "euclidean"], "center": ["classes", None]}
    search = GridSearchCV(NearestClassMeanClassifier(), grid, cv=3).fit(frame, y)
    assert search.best_estimator_.feature_names_in_.tolist() == list("abcdef")


def test_a_mean_without_direction_is_a_warning():
    X = [[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, 3.0]]
    with pytest.warns(ImbkitWarning, match="must have a direction"):
        model = NearestClassMeanClassifier(center=None).fit(X, [0, 0, 1, 1])
    assert np.isfinite(model.decision_function(X)).all()


def test_bad_input(data):
    X, y = data
    with pytest.raises(DataError, match="two classes"):
        NearestClassMeanClassifier().fit(X, np.zeros(y.size))
    with pytest.raises(DataError, match="weight 0 only for class"):
        NearestClassMeanClassifier().fit(X, y, sample_weight=(y != 1).astype(float))


@pytest.mark.parametrize("settings", SETTINGS, ids=ids)
def test_estimator_checks(settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(NearestClassMeanClassifier(**settings), on_skip=None)
