import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io as sio
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from imbkit.exceptions import DataError
from imbkit.ordinal import CumulativeLinkClassifier, PRESTOClassifier, ProportionalOddsClassifier
from imbkit.ordinal._solve import SOLVERS

EXACT = {"tol": 1e-10, "max_iter": 5000}
STAGES = ["no", "click", "cart", "buy"]


@pytest.fixture(scope="module")
def rows():
    """A funnel whose columns have means and scales of their own, and matter unequally."""
    rng = np.random.default_rng(0)
    X = rng.normal([0, 5, -3, 100], [1, 2, 0.1, 30], size=(600, 4))
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    score = Z[:, 0] + 0.5 * Z[:, 1] * (rng.random(600) < 0.5) + rng.logistic(size=600)
    return X, np.digitize(score, [0.5, 2, 3.5])


def test_two_classes_are_logistic_regression(rows):
    X, y = rows
    y = (y > 1).astype(int)
    Z = StandardScaler().fit_transform(X)
    model = PRESTOClassifier(0.02, **EXACT).fit(Z, y)
    known = LogisticRegression(
        C=1 / (len(y) * 0.02), l1_ratio=1, solver="saga", tol=1e-12, max_iter=100_000
    ).fit(Z, y)
    np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, known.intercept_, atol=1e-8)
    np.testing.assert_allclose(model.predict_proba(Z), known.predict_proba(Z), atol=1e-8)
    np.testing.assert_allclose(model.decision_function(Z), known.decision_function(Z), atol=1e-7)
    assert (model.coef_ == 0).any()
    assert model.n_crossings_ == 0
    assert model.crossing_rate(Z) == 0


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_shrunk_to_the_end_with_a_free_level_it_is_proportional_odds(rows, link):
    model = PRESTOClassifier(1e3, level_penalty=0, link=link, **EXACT).fit(*rows)
    parallel = ProportionalOddsClassifier(link=link, **EXACT).fit(*rows)
    np.testing.assert_allclose(model.coef_, np.tile(parallel.coef_, (3, 1)), atol=1e-9)
    np.testing.assert_allclose(model.intercept_, parallel.intercept_, atol=1e-7)
    assert not model.delta_[1:].any()
    assert model.n_iter_ > 0


def test_the_fitted_attributes_fit_together(rows):
    X, y = rows
    model = PRESTOClassifier(0.01, **EXACT).fit(X, y)
    np.testing.assert_allclose(np.cumsum(model.delta_, axis=0), model.coef_, atol=1e-12)
    np.testing.assert_array_equal(model.delta_[1:] == 0, np.diff(model.coef_, axis=0) == 0)
    assert (model.delta_ == 0).any()
    assert (model.delta_[1:] != 0).any()
    for weights in (model.delta_, PRESTOClassifier(0.1).fit(X, y).coef_):
        assert (weights == 0).any()
        assert not np.signbit(weights[weights == 0]).any()
    assert model.kkt_violation_ < 1e-9
    assert 0 <= abs(model.duality_gap_) < 1e-8
    # The objective from what is public.
    own = np.log(model.predict_proba(X)[np.arange(len(y)), y])
    penalty = np.abs(model.delta_ * X.std(axis=0)).sum()
    np.testing.assert_allclose(model.objective_, -own.mean() + 0.01 * penalty, rtol=1e-12)
    assert model.coef_.shape == model.delta_.shape == (3, 4)
    assert model.intercept_.shape == (3,)
    assert model.classes_.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_the_first_weight_comes_just_below_alpha_max(rows, l1_ratio):
    most = PRESTOClassifier(0.1, l1_ratio=l1_ratio).fit(*rows).alpha_max_
    above = PRESTOClassifier(1.0001 * most, l1_ratio=l1_ratio, **EXACT).fit(*rows)
    below = PRESTOClassifier(0.99 * most, l1_ratio=l1_ratio, **EXACT).fit(*rows)
    assert not above.coef_.any()
    assert below.coef_.any()
    shares = np.bincount(rows[1]) / len(rows[1])
    np.testing.assert_allclose(above.predict_proba(rows[0][:1])[0], shares, rtol=1e-9)


def test_methods_agree(rows):
    X, y = rows
    model = PRESTOClassifier(0.005).fit(X, y)
    p, beyond = model.predict_proba(X), model.predict_exceedance(X)
    linear = X @ model.coef_.T + model.intercept_
    assert beyond.shape == (600, 3)
    np.testing.assert_allclose(beyond, 1 / (1 + np.exp(-linear)), rtol=1e-12)
    np.testing.assert_array_equal(beyond[:, -1], p[:, -1])
    uncrossed = (np.diff(linear, axis=1) <= 0).all(axis=1)
    np.testing.assert_allclose(p[uncrossed, ::-1].cumsum(axis=1)[:, 2::-1], beyond[uncrossed])
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(p), atol=1e-10)
    np.testing.assert_array_equal(model.decision_function(X), model.predict_log_proba(X))
    np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
    assert model.score(X, y) == np.mean(model.predict(X) == y)
    assert model.n_crossings_ == np.count_nonzero(~uncrossed)
    assert model.crossing_rate(X) == np.mean(~uncrossed)


def test_crossing_rows_have_valid_probabilities_and_the_last_column_stays(rows):
    X, y = rows
    model = PRESTOClassifier(0.0).fit(X, y)
    far = X.mean(axis=0) + 8 * (X - X.mean(axis=0))
    assert 0.05 < model.crossing_rate(far) < 1
    found = {}
    for how in ("keep_last", "isotonic", "raw"):
        found[how] = model.set_params(crossing=how).predict_proba(far)
        np.testing.assert_allclose(found[how].sum(axis=1), 1, atol=1e-12)
        np.testing.assert_array_equal(model.predict(far), found[how].argmax(axis=1))
        scores = model.decision_function(far)
        np.testing.assert_array_equal(scores.argmax(axis=1), found[how].argmax(axis=1))
    assert found["raw"].min() < 0 <= min(found["keep_last"].min(), found["isotonic"].min())
    np.testing.assert_array_equal(found["keep_last"][:, -1], found["raw"][:, -1])
    assert (found["isotonic"][:, -1] != found["raw"][:, -1]).any()


def test_scores_are_finite_where_a_crossing_leaves_a_class_nothing(rows):
    X, y = rows
    model = PRESTOClassifier(0.0).fit(X, y)
    far = X.mean(axis=0) + 8 * (X - X.mean(axis=0))
    assert np.isneginf(model.predict_log_proba(far)).any()
    assert np.isfinite(model.decision_function(far)).all()
    # These refuse scores that are not finite.
    assert 0 < get_scorer("average_precision")(model, far, y) < 1
    calibrated = CalibratedClassifierCV(FrozenEstimator(model)).fit(far, y)
    np.testing.assert_allclose(calibrated.predict_proba(far).sum(axis=1), 1)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_rows_far_out_have_probabilities(rows, link):
    X, y = rows
    model = PRESTOClassifier(0.001, link=link).fit(X, y)
    for factor in (1e8, -1e8, 1e160, -1e300):
        p = model.predict_proba(X * factor)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert p.min() >= 0
        scores = model.decision_function(X * factor)
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores.argmax(axis=1), p.argmax(axis=1))
    # Sums of infinities, which no arithmetic reaches on purpose alike on every machine.
    model.coef_ = np.full((3, 4), np.inf)
    with pytest.raises(DataError, match="PRESTOClassifier: .*NaN in 1 of 2 rows, the first 1"):
        model.predict_proba([[1.0] * 4, [0.0] * 4])


def test_the_rare_tail_has_all_its_digits(rows):
    X, y = rows
    model = PRESTOClassifier(0.05).fit(X, y)
    away = X[:1] - np.outer([100.0, 2000.0], model.coef_[-1] / np.sum(model.coef_[-1] ** 2))
    linear = away @ model.coef_[-1] + model.intercept_[-1]
    np.testing.assert_allclose(model.predict_log_proba(away)[:, -1], linear, rtol=1e-10)
    assert model.predict_proba(away)[0, -1] > 0


@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
def test_solvers_agree(rows, solver):
    model = PRESTOClassifier(0.01, solver=solver, **EXACT).fit(*rows)
    other = PRESTOClassifier(0.01, **EXACT).fit(*rows)
    assert model.kkt_violation_ < 1e-9
    np.testing.assert_allclose(model.objective_, other.objective_, atol=1e-12)
    np.testing.assert_allclose(
        model.coef_ * rows[0].std(axis=0), other.coef_ * rows[0].std(axis=0), atol=1e-7
    )


@pytest.mark.parametrize("cls", [PRESTOClassifier, CumulativeLinkClassifier])
def test_the_weights_of_raw_columns_are_penalised_on_demand(rows, cls):
    """On columns of unit variance both penalties are one; on others they are not."""
    X, y = rows
    Z = StandardScaler().fit_transform(X)
    for l1_ratio in (1.0, 0.3):
        settings = {"l1_ratio": l1_ratio, **EXACT}
        with_, without = (
            cls(0.02, standardize=each, **settings).fit(Z, y) for each in (True, False)
        )
        np.testing.assert_allclose(with_.coef_, without.coef_, atol=1e-8)
        raw = cls(0.02, standardize=False, **settings).fit(X, y)
        own = np.log(raw.predict_proba(X)[np.arange(len(y)), y])
        v = raw.delta_ if cls is PRESTOClassifier else raw.coef_
        penalty = l1_ratio * np.abs(v).sum() + (1 - l1_ratio) * (v**2).sum() / 2
        np.testing.assert_allclose(raw.objective_, -own.mean() + 0.02 * penalty, rtol=1e-11)


# --- rows, weights, containers


def test_weights_are_repetitions_and_zeros_are_absent(rows):
    X, y = rows
    weight = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = PRESTOClassifier(0.01, **EXACT).fit(X, y, sample_weight=weight)
    repeated = PRESTOClassifier(0.01, **EXACT).fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-9)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-8)
    present = weight > 0
    assert (
        weighted.n_crossings_
        == PRESTOClassifier(0.01, **EXACT).fit(X[present], y[present], weight[present]).n_crossings_
    )
    scaled = PRESTOClassifier(0.01, **EXACT).fit(X, y, sample_weight=weight * 1e-5)
    np.testing.assert_allclose(scaled.coef_, weighted.coef_, atol=1e-9)


def test_class_weights_multiply_sample_weights(rows):
    X, y = rows
    weight = np.random.default_rng(1).uniform(0, 2, len(y))
    model = PRESTOClassifier(0.01, class_weight={3: 5.0}, **EXACT).fit(X, y, weight)
    known = PRESTOClassifier(0.01, **EXACT).fit(X, y, weight * np.where(y == 3, 5.0, 1.0))
    np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-9)
    even = PRESTOClassifier(10.0, class_weight="balanced", **EXACT).fit(X, y, weight)
    np.testing.assert_allclose(even.predict_proba(X[:1]), [[0.25] * 4], rtol=1e-9)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_rows_are_the_dense_ones(rows, make, monkeypatch):
    X, y = rows
    X = np.where(np.random.default_rng(1).random(X.shape) < 0.6, 0, X)
    dense = PRESTOClassifier(0.005, **EXACT).fit(X, y)
    S = make(X)
    kept = S.copy()
    for name in ("toarray", "todense"):
        whole = getattr(type(S), name)

        def small_only(self, *args, whole=whole, **kwargs):
            assert max(self.shape) < 100, "the table was made dense"
            return whole(self, *args, **kwargs)

        for kind in (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix):
            monkeypatch.setattr(kind, name, small_only)
    model = PRESTOClassifier(0.005, **EXACT).fit(S, y)
    p = model.predict_proba(S)
    monkeypatch.undo()
    np.testing.assert_allclose(model.coef_ * X.std(axis=0), dense.coef_ * X.std(axis=0), atol=1e-8)
    np.testing.assert_allclose(p, dense.predict_proba(X), atol=1e-8)
    np.testing.assert_array_equal(S.toarray(), kept.toarray())


def test_single_precision_stays_single(rows, monkeypatch):
    X, y = rows
    model = PRESTOClassifier(0.01).fit(X, y)
    seen = []
    from imbkit.ordinal import _base

    def watched(design, link):
        seen.append(design.X.dtype)
        return made(design, link)

    made = _base.Problem
    monkeypatch.setattr(_base, "Problem", watched)
    single = PRESTOClassifier(0.01).fit(X.astype(np.float32), y)
    assert seen == [np.float32]
    assert single.coef_.dtype == np.float64
    np.testing.assert_allclose(
        single.predict_proba(X.astype(np.float32)), model.predict_proba(X), atol=1e-4
    )
    assert single.predict_proba(X.astype(np.float32)).dtype == np.float64


def test_the_table_is_not_written_to(rows):
    X, y = rows
    for order in "CF":
        given = np.array(X, order=order)
        given.flags.writeable = False
        PRESTOClassifier(0.01).fit(given, y)
        np.testing.assert_array_equal(given, X)


def test_frames_and_ordered_columns(rows):
    X, y = rows
    names = ["a", "b", "c", "d"]
    known = PRESTOClassifier(0.01).fit(X, y)
    stages = np.array(STAGES)[y]
    targets = [
        (pd.Categorical(stages, categories=STAGES, ordered=True), None),
        (pl.Series(stages, dtype=pl.Enum(STAGES)), None),
        (stages, STAGES),
        (pd.Series(stages, dtype="category"), STAGES),
    ]
    for frame in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        for target, categories in targets:
            model = PRESTOClassifier(0.01, categories=categories).fit(frame, target)
            assert model.classes_.tolist() == STAGES
            assert model.feature_names_in_.tolist() == names
            np.testing.assert_array_equal(model.coef_, known.coef_)
            assert model.predict(frame).tolist() == np.array(STAGES)[known.predict(X)].tolist()


# --- invariances


@pytest.mark.parametrize("cls", [PRESTOClassifier, CumulativeLinkClassifier])
def test_scale_and_origin_of_columns_do_not_matter(rows, cls):
    X, y = rows
    p = cls(0.01, **EXACT).fit(X, y).predict_proba(X)
    scaled = X * [1e-8, 1e8, 1, 1]
    np.testing.assert_allclose(
        cls(0.01, **EXACT).fit(scaled, y).predict_proba(scaled), p, atol=1e-8
    )
    shifted = X + 100
    model = cls(0.01, **EXACT).fit(shifted, y)
    np.testing.assert_allclose(model.predict_proba(shifted), p, atol=1e-8)


def test_constant_columns_have_no_weight(rows):
    X, y = rows
    more = np.column_stack([X, np.full(len(y), 3.0), np.zeros(len(y))])
    known = PRESTOClassifier(0.01).fit(X, y)
    for table in (more, sparse.csr_array(more)):
        for alpha in (0.0, 0.01):
            model = PRESTOClassifier(alpha).fit(table, y)
            assert not model.coef_[:, 4:].any()
        np.testing.assert_allclose(model.predict_proba(table), known.predict_proba(X), atol=1e-5)


def test_columns_twice(rows):
    X, y = rows
    known = PRESTOClassifier(0.01, **EXACT).fit(X, y)
    twice = PRESTOClassifier(0.01, **EXACT).fit(np.hstack([X, X]), y)
    np.testing.assert_allclose(twice.objective_, known.objective_, rtol=1e-10)
    np.testing.assert_allclose(twice.coef_[:, :4] + twice.coef_[:, 4:], known.coef_, atol=1e-7)
    free = PRESTOClassifier(0.0).fit(np.hstack([X, X]), y)
    assert np.isfinite(free.coef_).all()


def test_the_order_of_the_classes_matters(rows):
    X, y = rows
    model = PRESTOClassifier(0.02, **EXACT).fit(X, y)
    turned = PRESTOClassifier(0.02, categories=[3, 2, 1, 0], **EXACT).fit(X, y)
    assert turned.classes_.tolist() == [3, 2, 1, 0]
    gap = np.abs(turned.predict_proba(X)[:, ::-1] - model.predict_proba(X)).max()
    assert gap > 1e-4
    first = ProportionalOddsClassifier(**EXACT).fit(X, y)
    other = ProportionalOddsClassifier(categories=[3, 2, 1, 0], **EXACT).fit(X, y)
    np.testing.assert_allclose(other.coef_, -first.coef_, atol=1e-8)


# --- small and odd tables


def test_a_class_with_one_row_and_fifty_classes(rows):
    X, y = rows
    y = np.where(y == 3, 2, y)
    y[7] = 3
    model = PRESTOClassifier(0.01, **EXACT).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), np.bincount(y) / 600, rtol=0.01)
    many = np.arange(600) % 50
    fitted = PRESTOClassifier(0.01).fit(X, many)
    assert fitted.coef_.shape == (49, 4)
    np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1, atol=1e-12)


def test_one_row_a_class():
    X = np.array([[0.0, 1.0], [1.0, 5.0], [2.0, 2.0], [3.0, 3.0]])
    model = PRESTOClassifier(0.1).fit(X, [0, 1, 2, 3])
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), 0.25, atol=0.01)


def test_separated_classes_have_an_optimum_with_a_penalty():
    X = np.linspace(-1, 1, 60)[:, np.newaxis]
    y = np.digitize(X[:, 0], [-0.3, 0.5])
    model = PRESTOClassifier(1e-3, **EXACT).fit(X, y)
    assert model.kkt_violation_ < 1e-9
    assert model.score(X, y) > 0.95


# --- scikit-learn


def test_warm_start_goes_on_from_the_last_solution(rows):
    X, y = rows
    model = PRESTOClassifier(0.02, warm_start=True, **EXACT).fit(X, y)
    again = model.fit(X, y)
    assert again.n_iter_ <= 1
    cold = PRESTOClassifier(0.01, **EXACT).fit(X, y)
    warm = clone(model).fit(X, y).set_params(alpha=0.01).fit(X, y)
    assert warm.n_iter_ <= cold.n_iter_
    np.testing.assert_allclose(warm.coef_, cold.coef_, atol=1e-9)
    # Another origin, other columns, other classes: the old weights still serve, or are dropped.
    for table, target in ((X - 50, y), (X[:, :2], y), (X, np.minimum(y, 2)), (X, y + 1)):
        fresh = PRESTOClassifier(0.01, **EXACT).fit(table, target)
        np.testing.assert_allclose(warm.fit(table, target).coef_, fresh.coef_, atol=1e-8)
    # Rows at which the old boundaries leave no probability to the row's class.
    steep = PRESTOClassifier(0.0, warm_start=True).fit(X, y)
    far = X.mean(axis=0) + 100 * (X - X.mean(axis=0))
    np.testing.assert_allclose(
        steep.set_params(alpha=0.01, **EXACT).fit(far, y).coef_,
        PRESTOClassifier(0.01, **EXACT).fit(far, y).coef_,
        atol=1e-9,
    )


def test_verbose_prints_a_line(rows, capsys):
    PRESTOClassifier(0.05, verbose=1).fit(*rows)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("PRESTOClassifier: alpha 0.05, ")
    PRESTOClassifier(0.05).fit(*rows)
    assert capsys.readouterr().out == ""


def test_in_a_pipeline_and_a_search(rows):
    X, y = rows
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = np.random.default_rng(0).choice(["x", "y", "z"], len(y))
    target = pd.Series(pd.Categorical(np.array(STAGES)[y], categories=STAGES, ordered=True))
    columns = make_column_transformer(
        (StandardScaler(), list("abcd")), (OneHotEncoder(), ["kind"]), sparse_threshold=1.0
    )
    pipe = make_pipeline(columns, PRESTOClassifier())
    grid = {
        "prestoclassifier__alpha": [0.1, 0.01],
        "prestoclassifier__l1_ratio": [1.0, 0.5],
    }
    search = GridSearchCV(pipe, grid, cv=3, scoring="neg_log_loss", error_score="raise")
    # scikit-learn's scorer takes classes in sorted order only.
    search.fit(frame, pd.Series(y))
    assert search.best_params_["prestoclassifier__alpha"] == 0.01
    assert search.predict_proba(frame).shape == (600, 4)
    fitted = clone(pipe).fit(frame, target)
    assert fitted.classes_.tolist() == STAGES
    assert set(fitted.predict(frame)) <= set(STAGES)


def test_weights_are_routed(rows):
    X, y = rows
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    known = PRESTOClassifier(0.01).fit(X, y, weight)
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = PRESTOClassifier(0.01).set_fit_request(sample_weight=True)
        pipe = make_pipeline(scaler, model).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(pipe.predict_proba(X), known.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize(
    "cls", [PRESTOClassifier, ProportionalOddsClassifier, CumulativeLinkClassifier]
)
def test_pickled_cloned_and_saved(rows, cls):
    X, y = rows
    model = cls(0.01, categories=STAGES).fit(X, np.array(STAGES)[y])
    p = model.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), p)
    np.testing.assert_array_equal(clone(model).fit(X, np.array(STAGES)[y]).predict_proba(X), p)
    data = sio.dumps(model)
    trusted = sio.get_untrusted_types(data=data)
    assert trusted == [f"{cls.__module__}.{cls.__name__}"]
    loaded = sio.loads(data, trusted=trusted)
    np.testing.assert_array_equal(loaded.predict_proba(X), p)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    # Nothing but numbers, text and small arrays is kept.
    kept = {k: v for k, v in vars(model).items() if k not in model.get_params()}
    assert all(isinstance(v, (int, float, np.ndarray)) for v in kept.values())
    assert all(np.size(v) <= 12 for v in kept.values())
