"""Every message about rows, labels, weights, scores and parameters."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.rvfl import (
    GEIFRVFLClassifier,
    IFRVFLClassifier,
    RVFLClassifier,
    RVFLClassifierCV,
    RVFLRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 2
CLASSIFIERS = [
    RVFLClassifier,
    RVFLClassifierCV,
    lambda **k: IFRVFLClassifier(**{"fuzzy": "dual_center", **k}),
    lambda **k: GEIFRVFLClassifier(**{"fuzzy": "dual_center", **k}),
]
EVERY = [*CLASSIFIERS, RVFLRegressor]
ADDING = [RVFLClassifier, lambda **k: GEIFRVFLClassifier(**{"fuzzy": None, **k}), RVFLRegressor]

every = pytest.mark.parametrize("make", EVERY)
classifiers = pytest.mark.parametrize("make", CLASSIFIERS)


def name(make):
    return type(make()).__name__


@classifiers
@pytest.mark.parametrize(
    ("y", "settings", "words"),
    [
        (np.zeros(40), {}, "rows of two classes or more. Got one class only, 0.0"),
        (X[:, 0], {}, "Unknown label type"),
        (Y[:30], {}, r"inconsistent numbers of samples: \[40, 30\]"),
        (None, {}, "requires y to be passed"),
        (np.where(Y, np.nan, 1.0), {}, "NaN"),
        (Y, {"class_weight": {5: 2.0}}, "class_weight must name classes of the target only: 0, 1"),
        (Y, {"class_weight": {0: 0.0}}, "finite number above 0 for every class. Got 0.0 for"),
        (Y, {"class_weight": {1: "2"}}, "finite number above 0 for every class"),
    ],
)
def test_bad_labels(make, y, settings, words):
    with pytest.raises(ValueError, match=words):
        make(**settings).fit(X, y)


@every
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_hidden", -1),
        ("n_hidden", 1.5),
        ("activation", "softplus"),
        ("direct_link", "yes"),
        ("fit_output_bias", 2),
        ("weight_scale", 0.0),
        ("weight_scale", np.inf),
        ("C", 0.0),
        ("C", -1.0),
        ("C", np.inf),
        ("C", np.nan),
        ("class_weight", "even"),
        ("weighting", "code"),
        ("solver", "lu"),
        ("chunk_size", 0),
        ("device", "tpu"),
        ("random_state", "seed"),
        ("graph", "pca"),
        ("graph_strength", -1e-9),
        ("graph_ridge", 0.0),
        ("graph_form", "even"),
        ("graph_scale", "max"),
        ("n_neighbors", 0),
        ("fuzzy", "rbf"),
        ("kernel_width", 0.0),
        ("kernel_width", -1.0),
        ("kernel_width", "mean"),
        ("radius_eps", 0.0),
        ("neighbor_correction", "posterior"),
        ("score_method", "fast"),
        ("store_scores", "yes"),
        ("n_jobs", 1.5),
    ],
)
def test_bad_parameters_are_named(make, parameter, value):
    if parameter not in make().get_params():
        return
    with pytest.raises(ValueError, match=parameter) as found:
        make(**{parameter: value}).fit(X, Y)
    assert not isinstance(found.value, DataError)


@every
def test_no_feature_at_all(make):
    with pytest.raises(InvalidParameterError, match="n_hidden must be 1 or more.*Got 0. Raise it"):
        make(n_hidden=0, direct_link=False).fit(X, Y)


@every
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none(make, form, value):
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        make().fit(form(bad), Y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        make(n_hidden=3).fit(X, Y).predict(form(bad))


@every
def test_tables_that_cannot_be_used(make):
    for table, words in (
        (np.empty((40, 0)), "0 feature"),
        (np.empty((0, 3)), "0 sample"),
        (X[:, 0], "1D array"),
        (np.full((40, 2), "a"), "could not convert"),
    ):
        with pytest.raises(ValueError, match=words):
            make().fit(table, Y)
    model = make(n_hidden=3).fit(X, Y)
    for method in ("predict", "predict_proba", "decision_function"):
        if not hasattr(model, method):
            continue
        with pytest.raises(ValueError, match=f"2 features, but {name(make)} is expecting 3"):
            getattr(model, method)(X[:, :2])
        with pytest.raises(NotFittedError):
            getattr(make(), method)(X)
    with pytest.raises(NotFittedError):
        make().coef_path([1.0])
    for Cs in ([], [0.0], [-1.0], [np.nan], [np.inf], [[1.0]], 1.0, "a"):
        with pytest.raises(InvalidParameterError, match="Cs must be a list of finite numbers"):
            model.coef_path(Cs)


@every
@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.where(np.arange(40) == 4, -1.0, 1.0), "finite and not negative. Got 1 bad values"),
        (np.where(np.arange(40) == 4, np.nan, 1.0), "finite and not negative"),
        (np.zeros(40), "must not be zero for every row"),
        (np.ones(39), "one number for each of the 40 rows"),
    ],
)
def test_bad_weights(make, weight, words):
    with pytest.raises(DataError, match=f"{name(make)}: .*{words}"):
        make().fit(X, Y, sample_weight=weight)
    if hasattr(make(), "partial_fit") and weight.any():
        more = {} if make is RVFLRegressor else {"classes": [0, 1]}
        with pytest.raises(DataError, match=words):
            make().partial_fit(X, Y, sample_weight=weight, **more)


@classifiers
def test_a_class_without_weight(make):
    with pytest.raises(DataError, match="weight 0 only for class 1. Leave its rows out of X and y"):
        make().fit(X, Y, sample_weight=np.where(Y == 1, 0.0, 1.0))


@pytest.mark.parametrize("cls", [IFRVFLClassifier, GEIFRVFLClassifier])
@pytest.mark.parametrize("fuzzy", ["kernel", "linear"])
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_a_class_that_lost_all_its_weight(cls, fuzzy):
    # The rare rows stand far apart among the others.
    rows = np.vstack([RNG.normal(size=(60, 2)), [[1.0, 1.0], [-1.0, -1.0]]])
    y = np.r_[np.zeros(60), np.ones(2)]
    words = "class 1.0 that lost all of it. Increase kernel_width.*neighbor_correction='prior'"
    with pytest.raises(DataError, match=words):
        cls(fuzzy=fuzzy, kernel_width=1.0, neighbor_correction=None).fit(rows, y)
    with pytest.raises(DataError, match="class 1.0 that lost all"):
        cls(fuzzy="given").fit(rows, y, scores=1 - y)


@pytest.mark.parametrize("cls", [IFRVFLClassifier, GEIFRVFLClassifier])
@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (None, "fuzzy='given' needs the scores of the rows. Pass scores="),
        (np.ones(39), "scores must hold one number for each of the 40 rows"),
        (np.full(40, -1.0), "scores must be finite and not negative. Got 40 bad values"),
        (np.full(40, np.nan), "scores must be finite and not negative"),
    ],
)
def test_bad_scores(cls, scores, words):
    with pytest.raises(DataError, match=words):
        cls(fuzzy="given").fit(X, Y, scores=scores)
    with pytest.raises(DataError, match=words):
        cls(fuzzy="given").partial_fit(X, Y, [0, 1], scores=scores)
    for fuzzy in ("kernel", None):
        with pytest.raises(InvalidParameterError, match="scores are for fuzzy='given'. Got scores"):
            cls(fuzzy=fuzzy).fit(X, Y, scores=np.ones(40))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: IFRVFLClassifier(), "needs scores that do not depend.*Got fuzzy='kernel'. Set"),
        (lambda: GEIFRVFLClassifier(fuzzy="linear"), "Got fuzzy='linear'.*pass scores="),
        (lambda: GEIFRVFLClassifier(fuzzy=None, graph="lfda"), "made of sums.*Got graph='lfda'"),
        (lambda: GEIFRVFLClassifier(fuzzy="given", graph="mda"), "Got graph='mda'.*call fit"),
    ],
)
def test_what_cannot_be_added_up(make, words):
    model = make()
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as found:
        model.partial_fit(X, Y, [0, 1])
    assert np.char.find(str(found.value.__cause__), type(model).__name__) == 0
    with pytest.raises(AttributeError, match=words):
        raise found.value.__cause__


@pytest.mark.parametrize("make", ADDING[:2])
def test_classes_of_parts(make):
    with pytest.raises(InvalidParameterError, match="first call of partial_fit needs all classes"):
        make().partial_fit(X, Y)
    with pytest.raises(InvalidParameterError, match="two classes or more. Got one class only, 1"):
        make().partial_fit(X, Y, classes=[1])
    with pytest.raises(DataError, match="classes must have every label of y: 0, 2. Got 1. Name"):
        make().partial_fit(X, Y, classes=[0, 2])
    model = make().partial_fit(X, Y, classes=[1, 0])
    with pytest.raises(InvalidParameterError, match="those of the calls before: 0, 1. Got 0, 1, 2"):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(DataError, match="classes must have every label of y: 0, 1. Got 2"):
        model.partial_fit(X, Y + 1)
    with pytest.raises(DataError, match="class_weight must name classes"):
        model.set_params(class_weight={7: 1.0}).partial_fit(X, Y)
    model.set_params(class_weight=None)
    # What was refused has left nothing.
    np.testing.assert_array_equal(model.class_count_, [20, 20])
    assert model.partial_fit(X, Y).class_count_.tolist() == [40, 40]


@pytest.mark.parametrize("make", ADDING)
def test_parts_of_other_columns_or_settings(make):
    more = {} if make is RVFLRegressor else {"classes": [0, 1]}
    model = make(n_hidden=4).partial_fit(X, Y, **more)
    with pytest.raises(ValueError, match=f"2 features, but {name(make)} is expecting 3"):
        model.partial_fit(X[:, :2], Y)
    model.set_params(direct_link=False)
    with pytest.raises(InvalidParameterError, match="Got another 'direct_link'. Set them back"):
        model.partial_fit(X, Y)
    model.set_params(direct_link=True, C=3.0).partial_fit(X, Y)
    known = make(n_hidden=4, C=3.0)
    known._draw = lambda n_columns: model._layer()
    known.fit(np.vstack([X, X]), np.r_[Y, Y])
    np.testing.assert_allclose(model.coef_, known.coef_, rtol=1e-8, atol=1e-10)


def test_no_device_without_torch():
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(
            ImportError, match="RVFLClassifier.*device='cpu'.*needs the package torch"
        ):
            RVFLClassifier(device="cpu").fit(X, Y)
    assert RVFLClassifier(device="auto").fit(X, Y).coef_.shape == (104, 2)


def test_a_class_of_one_row_is_legal():
    rows, y = X[:21], np.r_[np.zeros(20), 1]
    for graph in ("lda", "lfda", "mda", None):
        model = GEIFRVFLClassifier(5, graph=graph, kernel_width=3.0, neighbor_correction="prior")
        model.set_params(random_state=0).fit(rows, y)
        assert np.isfinite(model.coef_).all()
    assert model.membership_[-1] == 1
