import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from imbkit.exceptions import DataError, InvalidParameterError, OrderWarning
from imbkit.ordinal import (
    CumulativeLinkClassifier,
    PRESTOClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
    presto_path,
)

EVERY = [PRESTOClassifier, ProportionalOddsClassifier, CumulativeLinkClassifier]
X = np.random.default_rng(0).normal(size=(30, 2))
Y = np.arange(30) % 3


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize(
    ("y", "settings", "words"),
    [
        (Y, {"categories": [0, 1]}, "categories must have every label of y. Got 2 in y"),
        (Y, {"categories": [0, 1, 2, 9]}, "no row of class 9. Leave it out of categories"),
        (Y, {"class_weight": {5: 2.0}}, "class_weight must name classes of the target only"),
        (np.zeros(30), {}, "Got one class only, 0.0"),
        (X[:, 0], {}, "Unknown label type"),
        (Y[:20], {}, r"inconsistent numbers of samples: \[30, 20\]"),
        (None, {}, "requires y to be passed"),
        (
            pd.Categorical.from_codes(Y, categories=["a", "b", "c", "d"], ordered=True),
            {},
            "no row of class 'd'. Remove the unused categories",
        ),
    ],
)
def test_bad_labels_name_the_class(cls, y, settings, words):
    with pytest.raises(ValueError, match=words) as found:
        cls(**settings).fit(X, y)
    assert cls.__name__ in str(found.value) or "inconsistent" in words


@pytest.mark.parametrize("cls", EVERY)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", -1.0),
        ("alpha", np.inf),
        ("alpha", np.nan),
        ("alpha", "1"),
        ("l1_ratio", 1.5),
        ("l1_ratio", -0.1),
        ("categories", 3),
        ("categories", [0, 1, 2, 2]),
        ("categories", []),
        ("link", "cauchit"),
        ("standardize", "yes"),
        ("class_weight", "even"),
        ("class_weight", {0: -1.0}),
        ("solver", "lbfgs"),
        ("max_iter", 0),
        ("tol", 0.0),
        ("tol", np.inf),
        ("warm_start", 3.5),
        ("verbose", "loud"),
        ("level_penalty", -1.0),
        ("level_penalty", np.inf),
        ("crossing", "ignore"),
    ],
)
def test_bad_parameters_are_named(cls, name, value):
    if name not in cls().get_params():
        return
    with pytest.raises(ValueError, match=name) as found:
        cls(**{name: value}).fit(X, Y)
    assert isinstance(found.value, TypeError) or not isinstance(found.value, DataError)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_missing_and_infinite_numbers(make, value):
    bad = X.copy()
    bad[3, 1] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        PRESTOClassifier().fit(make(bad), Y)
    model = PRESTOClassifier().fit(X, Y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        model.predict_proba(make(bad))


def test_tables_that_cannot_be_used():
    for table, words in (
        (np.empty((30, 0)), "0 feature"),
        (np.empty((0, 2)), "0 sample"),
        (X[:, 0], "1D array"),
        (X[:, :, np.newaxis], "dim 3"),
        (sparse.coo_array(X).astype(complex), "Complex"),
        (np.full((30, 2), "a"), "could not convert"),
    ):
        with pytest.raises(ValueError, match=words):
            PRESTOClassifier().fit(table, Y)
    model = PRESTOClassifier().fit(X, Y)
    for method in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "predict_exceedance",
        "decision_function",
        "crossing_rate",
    ):
        with pytest.raises(ValueError, match="3 features, but PRESTOClassifier is expecting 2"):
            getattr(model, method)(np.zeros((2, 3)))
        with pytest.raises(NotFittedError):
            getattr(PRESTOClassifier(), method)(X)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.where(np.arange(30) == 4, -1.0, 1.0), "finite and not negative. Got 1 bad values"),
        (np.where(np.arange(30) == 4, np.nan, 1.0), "finite and not negative"),
        (np.zeros(30), "must not be zero for every row"),
        (np.ones(29), "one number for each of the 30 rows"),
        (np.where(Y == 2, 0.0, 1.0), "weight 0 only for class 2. Leave its rows out of X and y"),
    ],
)
def test_bad_weights(weight, words):
    with pytest.raises(DataError, match=words):
        PRESTOClassifier().fit(X, Y, sample_weight=weight)


def test_weights_of_any_size():
    known = PRESTOClassifier(tol=1e-9).fit(X, Y, np.arange(30) + 1.0)
    for size in (1e-300, 1e300, 5e306):
        model = PRESTOClassifier(tol=1e-9).fit(X, Y, (np.arange(30) + 1.0) * size)
        np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-12)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_columns_that_no_float_can_tell_apart_are_named(make):
    for bad in (
        np.sign(X[:, 0]) * 5e-324,
        X[:, 0] * 1e-305,
        X[:, 0] / np.abs(X[:, 0]).max() * 1e306,
    ):
        table = make(np.column_stack([X[:, 0], bad]))
        for fit in (PRESTOClassifier().fit, PRESTOClassifierCV(alphas=2).fit, presto_path):
            with pytest.raises(
                DataError, match="standard deviation from 1e-300 to 1e.300.*column 1"
            ):
                fit(table, Y)
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1] * 1e-305})
    with pytest.raises(DataError, match="PRESTOClassifier: .* in column 'b'"):
        PRESTOClassifier().fit(frame, Y)


def test_a_frame_without_columns():
    for fit in (PRESTOClassifier().fit, PRESTOClassifierCV().fit, presto_path):
        with pytest.raises(DataError, match=r"X must have a column at least. Got 0 feature\(s\)"):
            fit(pd.DataFrame(index=range(30)), Y)


def test_sparse_columns_far_from_zero_are_solved_as_dense_ones():
    for shift in (1e3, 1e6):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = PRESTOClassifier(tol=1e-9).fit(sparse.csr_array(X + shift), Y)
        known = PRESTOClassifier(tol=1e-9).fit(X + shift, Y)
        np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-7)


@pytest.mark.parametrize("cls", EVERY)
def test_text_without_an_order_warns_once(cls):
    y = np.array(["low", "mid", "high"])[Y]
    with pytest.warns(OrderWarning, match="'high', 'low', 'mid', with 'mid' as the last") as found:
        model = cls().fit(X, y)
    assert len(found) == 1
    assert found[0].filename == __file__
    assert model.classes_.tolist() == ["high", "low", "mid"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = cls(categories=["low", "mid", "high"]).fit(X, y)
    assert model.classes_.tolist() == ["low", "mid", "high"]


# --- no optimum, or not reached


@pytest.mark.parametrize("cls", EVERY)
def test_separation_without_a_penalty_warns(cls):
    table = np.linspace(-1, 1, 30)[:, np.newaxis]
    y = np.digitize(table[:, 0], [-0.4, 0.4])
    with pytest.warns(ConvergenceWarning, match="all rows separated.*Set alpha above 0") as found:
        model = cls(alpha=0.0).fit(table, y)
    assert len(found) == 1
    assert np.isfinite(model.coef_).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(alpha=0.001).fit(table, y)


def test_a_column_that_separates_some_rows_warns():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 2))
    y = np.digitize(table[:, 0] + rng.logistic(size=200), [0, 2])
    table[:, 1] = (y == 2) & (rng.random(200) < 0.3)
    with pytest.warns(ConvergenceWarning, match="some rows separated.*Set alpha above 0"):
        ProportionalOddsClassifier().fit(table, y)
    with pytest.warns(ConvergenceWarning, match="some rows separated.*Set level_penalty above 0"):
        PRESTOClassifier(0.05, level_penalty=0.0).fit(table, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PRESTOClassifier(0.001).fit(table, y)


@pytest.mark.parametrize("cls", EVERY)
def test_an_unconverged_fit_says_what_to_raise(cls):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 3))
    y = np.digitize(table.sum(axis=1) + rng.logistic(size=200), [0, 2])
    pattern = (
        r"should be at most \d.\de-13. Got \d.\de-02 after 1 iterations. Raise max_iter or tol"
    )
    with pytest.warns(ConvergenceWarning, match=pattern) as found:
        model = cls(max_iter=1, tol=1e-12).fit(table, y)
    assert found[0].filename == __file__
    assert np.isfinite(model.predict_proba(table)).all()


def test_a_bad_fit_leaves_parameters_alone():
    settings = {"categories": [2, 1, 0], "class_weight": {0: 2.0}}
    model = PRESTOClassifier(**settings).fit(X, Y)
    assert settings == {"categories": [2, 1, 0], "class_weight": {0: 2.0}}
    assert model.categories is settings["categories"]
    with pytest.raises(InvalidParameterError):
        model.set_params(class_weight={0: 0.0}).fit(X, Y)
