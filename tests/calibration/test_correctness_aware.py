"""Correctness-aware calibration: loss, network, copies, and the classifier around them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from scipy.optimize import approx_fprime
from scipy.special import softmax
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from imbkit._core.deploy import deploy
from imbkit.calibration import CorrectnessAwareCalibrator
from imbkit.calibration._copies import KINDS, learn_copies
from imbkit.calibration._temperature_net import (
    TemperatureNet,
    correctness_loss,
    fit_net,
    net_loss,
    row_weights,
)
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError


def table(n=600, k=2, seed=0, **more):
    return make_classification(
        n,
        n_features=8,
        n_informative=4,
        n_redundant=3,
        n_classes=k,
        flip_y=0.1,
        random_state=seed,
        **more,
    )


def model(estimator=None, **more):
    base = GaussianNB() if estimator is None else estimator
    return CorrectnessAwareCalibrator(base, **{"random_state": 0, **more})


def sure_logits(n=500, k=4, seed=0, factor=4.0):
    """Logits of which the labels follow a softmax that is much less sure."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, k))
    p = softmax(z, axis=1)
    y = (rng.random((n, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return factor * z, y


def gaps_of(z):
    return z - z.max(axis=1, keepdims=True)


def test_the_loss_is_the_squared_gap_between_confidence_and_being_right():
    z, y = sure_logits(50)
    right = z.argmax(axis=1) == y
    t = np.random.default_rng(1).uniform(0.5, 4.0, size=50)
    weight = np.random.default_rng(2).dirichlet(np.ones(50))
    loss, slope = correctness_loss(gaps_of(z), right, weight, t)
    confidence = softmax(z / t[:, None], axis=1).max(axis=1)
    assert loss == pytest.approx(weight @ (confidence - right) ** 2)
    numeric = approx_fprime(t, lambda at: correctness_loss(gaps_of(z), right, weight, at)[0], 1e-7)
    np.testing.assert_allclose(slope, numeric, atol=1e-7)


def test_the_gradient_of_the_network_is_that_of_its_loss():
    z, y = sure_logits(40)
    rng = np.random.default_rng(3)
    right, weight = z.argmax(axis=1) == y, np.full(40, 1 / 40)
    inputs = rng.random((40, 3))
    shape = (4, 5)
    at = np.concatenate((rng.normal(size=20), [3.0, -2.0, 2.0, -3.0, 1.0], [1.0]))

    def loss(values):
        net = TemperatureNet(values[:20].reshape(shape), values[20:], (0.5, 2.0))
        return net_loss(net, inputs, gaps_of(z), right, weight)

    net = TemperatureNet(at[:20].reshape(shape), at[20:], (0.5, 2.0))
    reached = net(inputs)
    # Some rows lie inside the clamp, and some beyond either end, or nothing would be tested.
    assert (reached == 0.5).any()
    assert (reached == 2.0).any()
    assert ((reached > 0.5) & (reached < 2.0)).any()
    np.testing.assert_allclose(
        loss(at)[1], approx_fprime(at, lambda v: loss(v)[0], 1e-7), atol=1e-6
    )


def test_training_makes_sure_logits_less_sure():
    z, y = sure_logits(3000)
    p = softmax(z, axis=1)
    right = z.argmax(axis=1) == y
    weight = np.full(right.size, 1 / right.size)
    net, before, after, n_iter = fit_net(
        np.sort(p, axis=1)[:, ::-1],
        gaps_of(z),
        right,
        weight,
        n_hidden=5,
        clamp=(0.1, 10.0),
        max_iter=100,
        rng=np.random.default_rng(0),
    )
    t = net(np.sort(p, axis=1)[:, ::-1])
    assert n_iter > 0
    assert before == pytest.approx(np.mean((p.max(axis=1) - right) ** 2))
    after_again = softmax(z / t[:, None], axis=1).max(axis=1)
    assert after == pytest.approx(np.mean((after_again - right) ** 2))
    assert after < before - 0.03
    assert np.median(t) > 2
    # No constant temperature does better.
    grid = [correctness_loss(gaps_of(z), right, weight, np.full(3000, c))[0] for c in range(1, 10)]
    assert after < min(grid)


def test_a_start_at_a_temperature_without_slope_is_left():
    """Zeros and ones: at a temperature of 1 the derivative is as good as 0."""
    right = np.arange(100) % 4 > 0
    z = np.tile([0.0, -36.0], (100, 1))
    args = gaps_of(z), right, np.full(100, 0.01)
    assert np.abs(correctness_loss(*args, np.ones(100))[1]).max() < 1e-13
    net, before, after, _ = fit_net(
        np.ones((100, 1)),
        *args,
        n_hidden=2,
        clamp=(0.1, 50.0),
        max_iter=100,
        rng=np.random.default_rng(0),
    )
    assert before == pytest.approx(0.25)
    # The best confidence is the share of right rows.
    assert after == pytest.approx(0.75 * 0.25, abs=1e-4)
    assert net(np.ones((1, 1)))[0] == pytest.approx(36 / np.log(3), rel=0.02)


def test_weights_of_rows():
    right = np.array([True, True, True, False])
    predicted = np.array([0, 0, 1, 1])
    even = row_weights(right, predicted, None, balanced=False, per_class=False)
    np.testing.assert_allclose(even, 0.25)
    both = row_weights(right, predicted, None, balanced=True, per_class=False)
    np.testing.assert_allclose(both, [1 / 6, 1 / 6, 1 / 6, 1 / 2])
    given = np.array([1.0, 1.0, 3.0, 1.0])
    each = row_weights(right, predicted, given, balanced=False, per_class=True)
    np.testing.assert_allclose(each, [0.25, 0.25, 0.375, 0.125])
    # Without a wrong row there is nothing to balance, and a class may be left with none.
    all_right = np.ones(4, dtype=bool)
    even = row_weights(all_right, predicted, None, balanced=True, per_class=True)
    np.testing.assert_allclose(even, 0.25)


def copies_of(X, kinds=KINDS, **more):
    settings = {"jitter": 0.1, "share": 0.25, "seed": 3, "weight": None, "who": "X", **more}
    return learn_copies(X, kinds, **settings)


def test_each_kind_of_copy_does_what_it_says():
    X, _ = table(3000)
    jitter, swap, median = copies_of(X)(X, "X")
    noise = (jitter - X) / X.std(axis=0)
    np.testing.assert_allclose(noise.std(axis=0), 0.1, rtol=0.1)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.01)
    assert abs(np.corrcoef(noise.T)[np.triu_indices(8, 1)]).max() < 0.1
    for copy in (swap, median):
        changed = copy != X
        assert (changed.sum(axis=1) == 2).mean() > 0.99
        np.testing.assert_allclose(changed.mean(axis=0), 0.25, atol=0.04)
    for j in range(8):
        assert set(median[median[:, j] != X[:, j], j]) == {np.sort(X[:, j])[1499]}
        swapped = swap[swap[:, j] != X[:, j], j]
        assert set(swapped) <= set(X[:, j])
        # Donors have the column's own distribution.
        np.testing.assert_allclose(
            np.quantile(swapped, [0.2, 0.5, 0.8]),
            np.quantile(X[:, j], [0.2, 0.5, 0.8]),
            atol=0.25 * X[:, j].std(),
        )


def test_a_copy_depends_on_the_row_alone():
    X, _ = table()
    copies = copies_of(X)
    whole = copies(X, "X")
    order = np.random.default_rng(0).permutation(len(X))[:50]
    for part, all_rows in zip(copies(X[order], "X"), whole, strict=True):
        np.testing.assert_array_equal(part, all_rows[order])
    other = copies_of(X, seed=4)(X, "X")
    assert all((a != b).any() for a, b in zip(whole, other, strict=True))
    twice = copies_of(X, ("jitter", "jitter"))(X, "X")
    assert (twice[0] != twice[1]).all()


def test_what_copies_learn_counts_weights_as_rows():
    X, _ = table(300)
    weight = np.random.default_rng(0).integers(0, 4, size=300)
    a = copies_of(X, weight=weight.astype(float))
    b = copies_of(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(a.median, b.median)
    np.testing.assert_array_equal(a.levels, b.levels)
    np.testing.assert_allclose(a.spread, b.spread, rtol=1e-12)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_copies_of_frames_change_numbers_and_leave_the_rest(library):
    rng = np.random.default_rng(0)
    columns = {
        "amount": rng.normal(size=80),
        "count": rng.integers(0, 1000, size=80),
        "known": rng.random(80) < 0.5,
        "shop": rng.choice(["a", "b"], size=80),
    }
    X = (
        pd.DataFrame(columns, index=np.arange(80) + 7)
        if library == "pandas"
        else pl.DataFrame(columns)
    )
    copies = copies_of(X)
    assert copies.positions == (0, 1, 2)
    for copy in copies(X, "X"):
        assert type(copy) is type(X)
        assert list(copy.columns) == list(columns)
        assert list(copy["shop"]) == list(columns["shop"])
        assert [str(t) for t in copy.dtypes] == [str(t) for t in X.dtypes]
        assert any((np.asarray(copy[c]) != columns[c]).any() for c in ("amount", "count"))


def test_missing_values_stay_or_are_filled():
    X, _ = table()
    X[::3, 0] = np.nan
    X[:, 1] = np.nan
    copies = copies_of(X)
    np.testing.assert_allclose(copies.median[0], np.sort(X[~np.isnan(X[:, 0]), 0])[199])
    jitter, _, _ = copies(X, "X")
    np.testing.assert_array_equal(np.isnan(jitter), np.isnan(X))


@pytest.mark.parametrize("top_k", [1, 2, 9])
def test_the_network_sees_the_copies_at_the_classes_of_the_unchanged_row(top_k):
    X, y = table(k=3)
    fitted = model(top_k=top_k).fit(X, y)
    own = fitted.estimator_.predict_proba(X)
    order = np.argsort(-own, axis=1)[:, :top_k]
    seen = [own, *map(fitted.estimator_.predict_proba, fitted.copies_(X, "X"))]
    inputs = np.hstack([np.take_along_axis(p, order, axis=1) for p in seen])
    assert inputs.shape == (600, 4 * min(top_k, 3))
    assert fitted.net_.inner.shape == (inputs.shape[1] + 1, 5)
    np.testing.assert_array_equal(fitted.temperature(X), fitted.net_(inputs))


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("balanced", [False, True])
def test_the_predicted_class_never_changes_and_the_clamp_holds(k, balanced):
    X, y = table(k=k)
    fitted = model(balanced=balanced, per_class=balanced, clamp=(0.5, 3.0)).fit(X[:400], y[:400])
    plain = GaussianNB().fit(X[:400], y[:400])
    np.testing.assert_array_equal(fitted.predict(X), plain.predict(X))
    p = fitted.predict_proba(X)
    np.testing.assert_array_equal(fitted.classes_[p.argmax(axis=1)], plain.predict(X))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    t = fitted.temperature(X)
    assert (t >= 0.5).all()
    assert (t <= 3.0).all()
    z = np.log(np.maximum(plain.predict_proba(X), 2.0**-52))
    np.testing.assert_allclose(p, softmax(z / t[:, None], axis=1), atol=1e-12)
    assert fitted.loss_ <= fitted.initial_loss_


def test_an_over_confident_model_gets_a_lower_loss_on_new_rows():
    X, y = table(3000)
    # Repeated columns make naive Bayes far too sure.
    X = np.hstack([X, X, X])
    fitted = model().fit(X[:1000], y[:1000])
    before = GaussianNB().fit(X[:1000], y[:1000]).predict_proba(X[1000:])
    after = fitted.predict_proba(X[1000:])
    right = fitted.predict(X[1000:]) == y[1000:]
    losses = [np.mean((p.max(axis=1) - right) ** 2) for p in (before, after)]
    assert losses[1] < losses[0] - 0.01
    assert fitted.loss_ < fitted.initial_loss_ - 0.01


def test_it_does_not_depend_on_the_batch_the_order_or_a_pickle():
    X, y = table()
    fitted = model().fit(X, y)
    whole = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.predict_proba(X[5:6]), whole[5:6], rtol=1e-10)
    np.testing.assert_allclose(fitted.predict_proba(X[::-1]), whole[::-1], rtol=1e-10)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), whole)
    np.testing.assert_array_equal(model().fit(X, y).predict_proba(X), whole)
    assert (model(random_state=1).fit(X, y).predict_proba(X) != whole).any()


def test_out_of_fold_rows_are_what_it_learns_from():
    """The loss before training is that of cross-validated probabilities."""
    X, y = table()
    folds = [
        (np.flatnonzero(np.arange(600) % 3 != i), np.flatnonzero(np.arange(600) % 3 == i))
        for i in range(3)
    ]
    fitted = model(DecisionTreeClassifier(max_depth=5, random_state=0), cv=folds).fit(X, y)
    loss = 0.0
    for train, test in folds:
        p = clone(fitted.estimator).fit(X[train], y[train]).predict_proba(X[test])
        loss += ((p.max(axis=1) - (p.argmax(axis=1) == y[test])) ** 2).sum() / 600
    assert fitted.initial_loss_ == pytest.approx(loss)


def test_prefit_and_integer_weights():
    X, y = table()
    base = GaussianNB().fit(X[:300], y[:300])
    weight = np.random.default_rng(0).integers(0, 3, size=300)
    # At the default number of steps: more of them would magnify the rounding errors of sums.
    default = CorrectnessAwareCalibrator(FrozenEstimator(base), cv="prefit", random_state=0)
    a = clone(default).fit(X[300:], y[300:], sample_weight=weight)
    b = clone(default).fit(np.repeat(X[300:], weight, axis=0), np.repeat(y[300:], weight))
    assert a.estimator_.estimator is base
    assert a.initial_loss_ == pytest.approx(b.initial_loss_, rel=1e-12)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-7)
    order = np.random.default_rng(1).permutation(300)
    c = clone(default).fit(X[300:][order], y[300:][order], sample_weight=weight[order])
    np.testing.assert_allclose(c.predict_proba(X), a.predict_proba(X), atol=1e-7)


def test_weights_reach_the_estimator_and_the_loss():
    X, y = table()
    weight = np.random.default_rng(0).gamma(1.0, size=600)
    fitted = model().fit(X, y, sample_weight=weight)
    plain = GaussianNB().fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(fitted.predict(X), plain.predict(X))
    np.testing.assert_allclose(fitted.estimator_.theta_, plain.theta_)
    assert fitted.initial_loss_ != model().fit(X, y).initial_loss_


def test_metadata_routing():
    X, y = table()
    weight = np.random.default_rng(0).gamma(1.0, size=600)
    direct = model().fit(X, y, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        base = GaussianNB().set_fit_request(sample_weight=True)
        routed = model(base).fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(routed.predict_proba(X), direct.predict_proba(X))
        base = GaussianNB().set_fit_request(sample_weight=False)
        own = model(base).fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(own.estimator_.theta_, GaussianNB().fit(X, y).theta_)


def test_a_pipeline_over_a_frame_with_text():
    X, y = table()
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(8)])
    frame["shop"] = np.where(X[:, 0] > 0, "a", "b")
    encode = make_column_transformer((OneHotEncoder(), ["shop"]), remainder="passthrough")
    fitted = model(make_pipeline(encode, GaussianNB())).fit(frame, y)
    assert fitted.feature_names_in_.tolist() == list(frame.columns)
    assert np.isfinite(fitted.predict_proba(frame)).all()
    with pytest.raises(DataError, match="numbers or booleans, or nothing can be changed"):
        model(make_pipeline(OneHotEncoder(), LogisticRegression())).fit(frame[["shop"]], y)


def test_missing_values_and_string_labels_go_through():
    X, y = table()
    X[::7, 2] = np.nan
    names = np.array(["no", "yes"])[y]
    fitted = model(HistGradientBoostingClassifier(max_iter=5), cv=3).fit(X, names)
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert set(fitted.predict(X)) == {"no", "yes"}
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_a_grid_search_over_it():
    X, y = table(300)
    search = GridSearchCV(
        model(cv=2), {"top_k": [1, 2], "estimator__var_smoothing": [1e-9, 0.1]}, cv=2
    ).fit(X, y)
    assert set(search.best_params_) == {"top_k", "estimator__var_smoothing"}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"estimator": LinearSVC()}, "must have the method predict_proba"),
        ({"transforms": ("jitter", "rotate")}, "transforms must be of 'jitter'.*Got 'rotate'"),
        ({"clamp": (0.0, 1.0)}, "clamp must be two finite numbers above 0"),
        ({"clamp": (2.0, 1.0)}, "clamp must be two finite numbers above 0"),
        ({"clamp": (1.0, 2.0, 3.0)}, "clamp must be two finite numbers above 0"),
        ({"clamp": ("a", "b")}, "clamp must be two finite numbers above 0"),
        ({"clamp": (0.1, np.inf)}, "clamp must be two finite numbers above 0"),
        ({"share": 0.0}, "share"),
        ({"jitter": -1.0}, "jitter"),
        ({"top_k": 0}, "top_k"),
    ],
)
def test_bad_parameters_are_refused(settings, text):
    X, y = table(60)
    with pytest.raises(ValueError, match=text):
        model(**settings).fit(X, y)


def test_no_copies_at_all_leave_a_temperature_by_the_row_itself():
    X, y = table()
    fitted = model(transforms=()).fit(X, y)
    assert fitted.net_.inner.shape == (3, 5)
    assert fitted.loss_ <= fitted.initial_loss_


def test_bad_data_is_refused():
    X, y = table(60)
    with pytest.raises(DataError, match="X is sparse"):
        model().fit(sparse.csr_array(X), y)
    with pytest.raises(DataError, match="two classes"):
        model().fit(X, np.zeros(60))
    with pytest.raises(DataError, match="requires y"):
        model().fit(X, None)
    with pytest.raises(NotFittedError, match="with cv='prefit' the estimator must be fitted"):
        model(cv="prefit").fit(X, y)
    base = GaussianNB().fit(X, y)
    with pytest.raises(DataError, match="must know every class"):
        model(base, cv="prefit").fit(X, y + 1)
    with pytest.raises(InvalidParameterError, match="nothing is fitted"):
        model(base, cv="prefit").fit(X, y, groups=y)
    with pytest.raises(NotFittedError):
        model().predict_proba(X)


def test_predictions_without_an_error_give_a_warning():
    X = np.r_[np.zeros((30, 2)), np.full((30, 2), 9.0)] + np.random.default_rng(0).normal(
        size=(60, 2)
    )
    y = np.arange(60) // 30
    with pytest.warns(ImbkitWarning, match="Got no wrong ones in 60 rows"):
        fitted = model(LogisticRegression()).fit(X, y)
    assert np.isfinite(fitted.predict_proba(X)).all()


def test_it_does_not_ship_without_imbkit():
    X, y = table(100)
    with pytest.raises(InvalidParameterError, match="no form in scikit-learn alone"):
        deploy(model().fit(X, y))


ESTIMATORS = [
    LogisticRegression(),
    DecisionTreeClassifier(max_depth=3),
    HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5),
    GaussianNB(),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_estimator_checks_of_scikit_learn(estimator):
    # The histograms of this learner do not see weights, whoever wraps it.
    no_weights = isinstance(estimator, HistGradientBoostingClassifier)
    made = CorrectnessAwareCalibrator(estimator, cv=3)
    for each, check in estimator_checks_generator(made):
        if no_weights and check.func.__name__ == "check_sample_weight_equivalence_on_dense_data":
            with pytest.raises(AssertionError):
                check.func("HistGradientBoostingClassifier", estimator)
            continue
        with warnings.catch_warnings():
            # The checks feed tiny and odd tables; whether a warning fits is tested elsewhere.
            warnings.simplefilter("ignore")
            check(each)
