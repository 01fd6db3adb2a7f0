"""Small tables of every bad kind: no fit crashes, and every probability is one."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from imbkit.ordinal import CumulativeLinkClassifier, PRESTOClassifier, ProportionalOddsClassifier

MODELS = {
    "adjacent": PRESTOClassifier,
    "shared": ProportionalOddsClassifier,
    "free": CumulativeLinkClassifier,
}
EPS = np.finfo(float).eps


@st.composite
def columns(draw, codes):
    """A column of ties, a constant, a separating one, or plain noise, on any scale."""
    n = len(codes)
    kind = draw(st.sampled_from(["ties", "constant", "separating", "noise", "one_row", "ends"]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = {
        "ties": lambda: rng.integers(-1, 2, n).astype(float),
        "constant": lambda: np.full(n, rng.normal()),
        "separating": lambda: codes + 0.2 * rng.random(n),
        "noise": lambda: rng.normal(size=n),
        "one_row": lambda: np.eye(n)[rng.integers(n)],
        "ends": lambda: (codes == codes.max()).astype(float),
    }[kind]()
    scale = draw(st.sampled_from([1.0, 1.0, -1.0, 1e-8, 1e-3, 1e8]))
    return scale * (values + draw(st.sampled_from([0.0, 0.0, 5.0])))


@st.composite
def tables(draw):
    """Rows, their classes with some of a single row, weights or none."""
    n_classes = draw(st.integers(2, 5))
    sizes = draw(st.lists(st.integers(1, 9), min_size=n_classes, max_size=n_classes))
    codes = np.repeat(np.arange(n_classes), sizes)
    codes = np.random.default_rng(draw(st.integers(0, 10_000))).permutation(codes)
    X = np.column_stack([draw(columns(codes)) for _ in range(draw(st.integers(1, 4)))])
    if draw(st.booleans()):
        X = np.column_stack([X, X[:, 0]])  # a column twice
    weights = None
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 10_000)))
        weights = rng.choice([0.0, 1e-3, 1.0, 50.0], len(codes))
        for k in range(n_classes):
            weights[np.flatnonzero(codes == k)[0]] = 1.0
    return X, codes, weights


@st.composite
def models(draw):
    structure = draw(st.sampled_from(sorted(MODELS)))
    chosen = {
        "alpha": draw(st.sampled_from([0.0, 1e-4, 0.01, 0.3, 100.0])),
        "l1_ratio": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "link": draw(st.sampled_from(["logit", "probit", "cloglog"])),
        "solver": draw(st.sampled_from(["auto", "newton-cd", "cd", "fista"])),
        "standardize": draw(st.sampled_from([True, True, False])),
    }
    if structure != "shared":
        chosen["crossing"] = draw(st.sampled_from(["keep_last", "isotonic", "raw"]))
    if structure == "adjacent":
        chosen["level_penalty"] = draw(st.sampled_from([0.0, 1.0]))
    return structure, MODELS[structure](**chosen)


def fit_quietly(model, X, codes, weights):
    """Fit; unconverged fits may say so, and nothing else may be said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(X, codes, sample_weight=weights)
    others = [w for w in said if not issubclass(w.category, ConvergenceWarning)]
    assert others == [], [str(w.message) for w in others]
    return not said


def judge(model, X, n_classes):
    proba, exceedance = model.predict_proba(X), model.predict_exceedance(X)
    assert proba.shape == (X.shape[0], n_classes)
    assert exceedance.shape == (X.shape[0], n_classes - 1)
    assert np.isfinite(proba).all()
    assert np.isfinite(exceedance).all()
    assert ((exceedance >= 0) & (exceedance <= 1)).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
    for fitted in (model.coef_, model.intercept_, model.objective_, model.kkt_violation_):
        assert np.isfinite(fitted).all()
    crossing = getattr(model, "crossing", "keep_last")
    if crossing == "raw":
        return
    assert (proba >= 0).all()
    logs = model.predict_log_proba(X)
    assert not np.isnan(logs).any()
    assert (logs <= 0).all()
    np.testing.assert_allclose(np.exp(logs), proba, atol=1e-12, rtol=1e-9)
    if crossing == "keep_last":
        assert (proba[:, -1] == exceedance[:, -1]).all()
    assert (model.predict(X) == model.classes_[proba.argmax(axis=1)]).all()
    assert 0 <= model.crossing_rate(X) <= 1


@settings(max_examples=100)
@given(tables(), models(), st.sampled_from(["double", "single", "csr", "csc"]))
def test_any_table_gives_probabilities(table, chosen, kind):
    X, codes, weights = table
    structure, model = chosen
    made = {
        "double": lambda: X,
        "single": lambda: X.astype(np.float32),
        "csr": lambda: sparse.csr_matrix(X),
        "csc": lambda: sparse.csc_array(X),
    }[kind]()
    fit_quietly(model, made, codes, weights)
    n_classes = codes.max() + 1
    judge(model, made, n_classes)
    if kind == "double":  # far from the rows that were learned, too
        judge(model, np.vstack([3 * X, -X, np.zeros_like(X)]), n_classes)
    if structure == "shared":
        assert model.n_crossings_ == 0


@settings(max_examples=50)
@given(tables(), models())
def test_what_converged_is_optimal(oracle, table, chosen):
    X, codes, weights = table
    structure, model = chosen
    converged = fit_quietly(model.set_params(standardize=True), X, codes, weights)
    problem = oracle.Problem(
        X,
        codes,
        codes.max() + 1,
        structure=structure,
        link=model.link,
        alpha=model.alpha,
        l1_ratio=model.l1_ratio,
        level_penalty=getattr(model, "level_penalty", 1.0),
        weights=weights,
    )
    if converged:
        intercepts, theta = problem.of(model)
        assert problem.violation(intercepts, theta) <= 1e-4 * max(1.0, model.alpha_max_)
        assert model.objective_ == pytest.approx(problem.objective(intercepts, theta), rel=1e-6)


@settings(max_examples=40)
@given(tables(), st.sampled_from(["logit", "probit", "cloglog"]))
def test_a_penalty_on_everything_always_has_an_optimum(table, link):
    """Coercive in every coordinate, whatever separates: no excuse not to converge."""
    X, codes, weights = table
    model = PRESTOClassifier(0.02, link=link)
    assert fit_quietly(model, X, codes, weights)
    assert model.kkt_violation_ <= 1e-5 * model.alpha_max_ + 1e-12


@settings(max_examples=40)
@given(tables(), models())
def test_fits_repeat_and_leave_their_data_alone(table, chosen):
    X, codes, weights = table
    _, model = chosen
    before = X.copy(), codes.copy(), None if weights is None else weights.copy()
    fit_quietly(model, X, codes, weights)
    first = model.coef_.copy(), model.intercept_.copy(), model.predict_proba(X)
    fit_quietly(model, X, codes, weights)
    assert (first[0] == model.coef_).all()
    assert (first[1] == model.intercept_).all()
    assert (first[2] == model.predict_proba(X)).all()
    assert (before[0] == X).all()
    assert (before[1] == codes).all()
    assert weights is None or (before[2] == weights).all()
