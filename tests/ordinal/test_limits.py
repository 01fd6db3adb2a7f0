"""Where the family must equal something simpler, or itself on the same data written otherwise."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from statsmodels.miscmodels.ordinal_model import OrderedModel

from imbkit.ordinal import CumulativeLinkClassifier, PRESTOClassifier, ProportionalOddsClassifier

MODELS = {
    "adjacent": PRESTOClassifier,
    "shared": ProportionalOddsClassifier,
    "free": CumulativeLinkClassifier,
}
LINKS = ("logit", "probit", "cloglog")
EXACT = {"tol": 1e-10, "max_iter": 20_000}


@pytest.fixture
def rows(oracle):
    """Four classes with unequal slopes; weights apart."""
    return oracle.draw(1, n=240, p=4, n_classes=4, rare=12)


def same(one, two, atol=1e-8):
    """Assert that two models give the same probabilities on rows near and far."""
    model, X = one
    other, Z = two
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(Z), atol=atol, rtol=1e-6)


# --- two classes


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
def test_two_classes_are_logistic_regression(oracle, model, l1_ratio):
    X, codes, weights = oracle.draw(2, n=150, p=4, n_classes=2, rare=30)
    share = weights / weights.sum()
    mean = share @ X
    scale = np.sqrt(share @ (X - mean) ** 2)
    alpha = 0.03
    ours = model(alpha, l1_ratio=l1_ratio, **EXACT).fit(X, codes, sample_weight=weights)
    settings = {"C": 1 / (alpha * weights.sum()), "l1_ratio": l1_ratio}
    peer = LogisticRegression(**settings, solver="saga", tol=1e-12, max_iter=100_000)
    peer.fit((X - mean) / scale, codes, sample_weight=weights)
    np.testing.assert_allclose(ours.coef_ * scale, peer.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_ + ours.coef_ @ mean, peer.intercept_, atol=1e-7)
    proba = peer.predict_proba((X - mean) / scale)
    np.testing.assert_allclose(ours.predict_proba(X), proba, atol=1e-7)
    assert ours.coef_.shape == peer.coef_.shape
    scores = peer.decision_function((X - mean) / scale)
    np.testing.assert_allclose(ours.decision_function(X), scores, atol=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_two_classes_are_one_model(oracle, link):
    X, codes, _ = oracle.draw(2, n=150, p=4, n_classes=2, rare=30)
    fits = [
        model(0.02, l1_ratio=0.7, link=link, **EXACT).fit(X, codes) for model in MODELS.values()
    ]
    for other in fits[1:]:
        same((fits[0], X), (other, X))
    # its level is all that PRESTO has left
    level = PRESTOClassifier(0.04, level_penalty=0.5, l1_ratio=0.7, link=link, **EXACT)
    same((fits[0], X), (level.fit(X, codes), X))


# --- proportional odds


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_free_level_and_no_differences_are_proportional_odds(rows, link, l1_ratio):
    X, codes, weights = rows
    odds = ProportionalOddsClassifier(link=link, **EXACT).fit(X, codes, sample_weight=weights)
    alpha = 1e8 if l1_ratio == 0 else 1e4
    presto = PRESTOClassifier(alpha, level_penalty=0.0, l1_ratio=l1_ratio, link=link, **EXACT)
    # tol is relative to the gradient, not to alpha
    presto.fit(X, codes, sample_weight=weights)
    same((presto, X), (odds, X))
    np.testing.assert_allclose(presto.coef_, np.repeat(odds.coef_, 3, axis=0), atol=1e-6)
    assert odds.coef_.shape == (1, 4)
    if l1_ratio > 0:
        assert (presto.delta_[1:] == 0).all()
        assert presto.n_crossings_ == 0


@pytest.mark.parametrize("distribution", ["logit", "probit"])
def test_proportional_odds_are_those_of_statsmodels(rows, distribution):
    X, codes, _ = rows
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = OrderedModel(codes, Z, distr=distribution)
    found = peer.fit(method="bfgs", disp=False, gtol=1e-9, maxiter=500)
    ours = ProportionalOddsClassifier(link=distribution, **EXACT).fit(Z, codes)
    np.testing.assert_allclose(ours.coef_[0], found.params[:4], atol=1e-6)
    cuts = peer.transform_threshold_params(found.params)[1:-1]
    np.testing.assert_allclose(ours.intercept_, -cuts, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(Z), found.predict(Z), atol=1e-7)
    assert -ours.objective_ * len(Z) >= found.llf - 1e-8


def exact_population(oracle, link, coef, intercepts):
    """A grid in which every row weighs what the true model says."""
    axis = np.linspace(-1, 1, 7)
    X = np.array([(a, b) for a in axis for b in axis])
    eta = -(intercepts + X @ np.atleast_2d(coef).T)
    below = np.exp(oracle.log_cdf(link, eta))
    bounds = np.column_stack([np.zeros(len(X)), below, np.ones(len(X))])
    proba = np.diff(bounds, axis=1)
    assert proba.min() > 1e-5
    n_classes = proba.shape[1]
    tall = np.repeat(X, n_classes, axis=0)
    return tall, np.tile(np.arange(n_classes), len(X)), proba.ravel(), X, proba


@pytest.mark.parametrize("link", LINKS)
def test_the_truth_is_found_and_merging_classes_keeps_the_slopes(oracle, link):
    coef, intercepts = np.array([0.7, -0.4]), np.array([1.5, 0.2, -0.9])
    X, codes, weights, grid, proba = exact_population(oracle, link, coef, intercepts)
    model = ProportionalOddsClassifier(link=link, **EXACT)
    model.fit(X, codes, sample_weight=weights)
    np.testing.assert_allclose(model.coef_[0], coef, atol=1e-7)
    np.testing.assert_allclose(model.intercept_, intercepts, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba(grid), proba, atol=1e-8)
    for merged in range(3):
        fewer = np.where(codes > merged, codes - 1, codes)
        model.fit(X, fewer, sample_weight=weights)
        np.testing.assert_allclose(model.coef_[0], coef, atol=1e-7)
        np.testing.assert_allclose(model.intercept_, np.delete(intercepts, merged), atol=1e-7)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("structure", ["adjacent", "free"])
def test_the_truth_of_unequal_slopes_is_found(oracle, structure, link):
    coef = np.array([[0.7, -0.4], [0.5, -0.4], [0.5, 0.1]])
    intercepts = np.array([1.6, 0.3, -1.0])
    X, codes, weights, grid, proba = exact_population(oracle, link, coef, intercepts)
    model = MODELS[structure](0.0, link=link, **EXACT).fit(X, codes, sample_weight=weights)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, intercepts, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(grid), proba, atol=1e-7)


# --- the order of the classes


@pytest.mark.parametrize("link", LINKS)
def test_reversing_the_classes(rows, link):
    X, codes, weights = rows
    reverse = 3 - codes

    def both(model):
        one = model.fit(X, codes, sample_weight=weights).predict_proba(X)
        two = model.fit(X, reverse, sample_weight=weights).predict_proba(X)[:, ::-1]
        return np.abs(one - two).max()

    change = both(ProportionalOddsClassifier(link=link, **EXACT))
    assert (change > 1e-3) if link == "cloglog" else (change < 1e-7)
    free = both(CumulativeLinkClassifier(0.02, link=link, **EXACT))
    assert (free > 1e-3) if link == "cloglog" else (free < 1e-7)
    # the level that PRESTO shrinks is that of the first boundary
    assert both(PRESTOClassifier(0.02, link=link, **EXACT)) > 1e-3
    level = both(PRESTOClassifier(0.02, level_penalty=0.0, link=link, **EXACT))
    assert (level > 1e-3) if link == "cloglog" else (level < 1e-6)


def test_the_given_order_is_that_of_the_codes(rows):
    X, codes, _ = rows
    names = np.array(["view", "cart", "checkout", "buy"])
    one = PRESTOClassifier(0.02, **EXACT).fit(X, codes)
    two = PRESTOClassifier(0.02, categories=list(names), **EXACT).fit(X, names[codes])
    assert (one.coef_ == two.coef_).all()
    assert list(two.classes_) == list(names)
    assert (one.predict_proba(X) == two.predict_proba(X)).all()
    assert (two.predict(X) == names[one.predict(X)]).all()


def test_decisions_follow_the_probabilities(rows):
    X, codes, _ = rows
    for link in LINKS:
        model = CumulativeLinkClassifier(0.01, link=link, **EXACT).fit(X, codes)
        scores = model.decision_function(X)
        np.testing.assert_allclose(np.exp(scores), model.predict_proba(X), rtol=1e-10)
        assert (model.classes_[scores.argmax(axis=1)] == model.predict(X)).all()
        two = model.fit(X, codes == 3)
        odds = np.log(two.predict_proba(X)[:, 1] / two.predict_proba(X)[:, 0])
        np.testing.assert_allclose(two.decision_function(X), odds, atol=1e-9)


# --- penalties at their ends


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("level_penalty", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("l1_ratio", [0.2, 1.0])
def test_the_first_nonzero_is_at_alpha_max(oracle, rows, structure, link, level_penalty, l1_ratio):
    if structure != "adjacent" and level_penalty != 1.0:
        level_penalty = 1.0
    X, codes, weights = rows
    problem = oracle.Problem(
        X,
        codes,
        4,
        structure=structure,
        link=link,
        weights=weights,
        l1_ratio=l1_ratio,
        level_penalty=level_penalty,
    )
    most = problem.alpha_max()
    more = {"level_penalty": level_penalty} if structure == "adjacent" else {}
    model = MODELS[structure](link=link, l1_ratio=l1_ratio, **more, **EXACT)
    held = problem.factor > 0

    def nonzero(alpha):
        model.set_params(alpha=alpha).fit(X, codes, sample_weight=weights)
        return np.count_nonzero(problem.of(model)[1][held])

    assert nonzero(1.0001 * most) == 0
    assert 1 <= nonzero(0.99 * most) <= 3
    assert model.alpha_max_ == pytest.approx(most, rel=1e-6)


def test_the_formula_of_alpha_max(rows):
    """For the logit, from the shares alone."""
    X, codes, weights = rows
    share = weights / weights.sum()
    mean = share @ X
    Z = (X - mean) / np.sqrt(share @ (X - mean) ** 2)
    q = np.bincount(codes, share)
    pi = np.cumsum(q)[:-1]
    u = np.zeros((len(X), 3))
    for k in range(3):
        inside = (codes == k) / q[k] - (codes == k + 1) / q[k + 1]
        u[:, k] = -share * pi[k] * (1 - pi[k]) * inside
    v = np.cumsum(u[:, ::-1], axis=1)[:, ::-1]
    most = np.abs(Z.T @ v).max()
    model = PRESTOClassifier(1.0).fit(X, codes, sample_weight=weights)
    assert model.alpha_max_ == pytest.approx(most, rel=1e-10)


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("link", LINKS)
def test_without_slopes_the_shares_are_predicted(rows, structure, link):
    X, codes, weights = rows
    model = MODELS[structure](10.0, l1_ratio=1.0, link=link, **EXACT)
    proba = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    shares = np.bincount(codes, weights) / weights.sum()
    np.testing.assert_allclose(proba, np.tile(shares, (len(X), 1)), atol=1e-9)
    assert (model.coef_ == 0).all()


@pytest.mark.parametrize("structure", MODELS)
def test_a_ridge_shrinks_without_zeros_and_vanishes(rows, structure):
    X, codes, weights = rows
    sizes, most = [], None
    for alpha in (1e-9, 0.01, 1.0, 1e6):
        model = MODELS[structure](alpha, l1_ratio=0.0, **EXACT).fit(X, codes, sample_weight=weights)
        sizes.append(np.abs(model.coef_ * X.std(axis=0)).max())
        assert (model.coef_ != 0).all()
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-5
    free = MODELS[structure](0.0, **EXACT).fit(X, codes, sample_weight=weights)
    most = np.abs(free.coef_ * X.std(axis=0)).max()
    assert sizes[0] == pytest.approx(most, rel=1e-5)


def test_presto_without_a_penalty_is_the_free_model(rows):
    X, codes, weights = rows
    one = PRESTOClassifier(0.0, **EXACT).fit(X, codes, sample_weight=weights)
    two = CumulativeLinkClassifier(0.0, **EXACT).fit(X, codes, sample_weight=weights)
    same((one, X), (two, X), atol=1e-7)
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-11)


# --- the same data written otherwise


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("link", LINKS)
def test_whole_weights_are_repetitions(rows, structure, link):
    X, codes, _ = rows
    times = np.random.default_rng(0).integers(0, 4, len(X))
    times[[np.flatnonzero(codes == k)[0] for k in range(4)]] = 2
    model = MODELS[structure](0.02, l1_ratio=0.8, link=link, **EXACT)
    one = model.fit(X, codes, sample_weight=times).predict_proba(X)
    found = model.objective_, model.alpha_max_, model.n_crossings_
    two = model.fit(np.repeat(X, times, axis=0), np.repeat(codes, times)).predict_proba(X)
    np.testing.assert_allclose(one, two, atol=1e-9)
    assert found[0] == pytest.approx(model.objective_, rel=1e-12)
    assert found[1] == pytest.approx(model.alpha_max_, rel=1e-12)
    heavier = model.fit(X, codes, sample_weight=1000.0 * times).predict_proba(X)
    np.testing.assert_allclose(one, heavier, atol=1e-9)


def test_rows_without_weight_might_as_well_be_absent(rows):
    X, codes, _ = rows
    weights = np.ones(len(X))
    weights[::3] = 0
    Z = X.copy()
    Z[::3] = 1e6  # whatever they hold
    model = PRESTOClassifier(0.02, **EXACT)
    one = model.fit(Z, codes, sample_weight=weights)
    proba, crossings = one.predict_proba(X), one.n_crossings_
    two = model.fit(X[weights > 0], codes[weights > 0])
    np.testing.assert_allclose(proba, two.predict_proba(X), atol=1e-10)
    assert crossings == two.n_crossings_


@pytest.mark.parametrize("structure", MODELS)
@pytest.mark.parametrize("solver", ["newton-cd", "cd", "fista"])
def test_the_scale_and_origin_of_columns_do_not_matter(rows, structure, solver):
    X, codes, weights = rows
    model = MODELS[structure](0.01, l1_ratio=0.9, solver=solver, **EXACT)
    model.fit(X, codes, sample_weight=weights)
    proba, alpha_max = model.predict_proba(X), model.alpha_max_
    for scale, origin in ((1.0, 100.0), (1e-6, 0.0), (np.array([1e5, 1e-5, -3.0, 1.0]), -20.0)):
        Z = X * scale + origin * np.abs(scale)
        model.fit(Z, codes, sample_weight=weights)
        np.testing.assert_allclose(model.predict_proba(Z), proba, atol=1e-7)
        assert model.alpha_max_ == pytest.approx(alpha_max, rel=1e-9)


def test_the_origin_of_columns_does_not_matter_without_standardising(rows):
    X, codes, weights = rows
    model = PRESTOClassifier(0.05, standardize=False, **EXACT)
    proba = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    moved = model.fit(X + 100.0, codes, sample_weight=weights).predict_proba(X + 100.0)
    np.testing.assert_allclose(moved, proba, atol=1e-7)
    scaled = model.fit(X * 10, codes, sample_weight=weights).predict_proba(X * 10)
    assert np.abs(scaled - proba).max() > 1e-4  # the penalty is on the columns as they are


@pytest.mark.parametrize("solver", ["newton-cd", "cd", "fista"])
def test_the_order_of_rows_does_not_matter(rows, solver):
    X, codes, weights = rows
    order = np.random.default_rng(5).permutation(len(X))
    model = PRESTOClassifier(0.02, solver=solver, **EXACT)
    one = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    again = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    assert (one == again).all()
    model.fit(X[order], codes[order], sample_weight=weights[order])
    np.testing.assert_allclose(model.predict_proba(X), one, atol=1e-9)


def test_the_order_of_columns_does_not_matter(rows):
    X, codes, weights = rows
    order = [2, 0, 3, 1]
    model = PRESTOClassifier(0.02, **EXACT)
    coef = model.fit(X, codes, sample_weight=weights).coef_
    other = model.fit(X[:, order], codes, sample_weight=weights).coef_
    np.testing.assert_allclose(other, coef[:, order], atol=1e-8)


@pytest.mark.parametrize("structure", MODELS)
def test_columns_that_say_nothing_change_nothing(rows, structure):
    X, codes, weights = rows
    model = MODELS[structure](0.02, l1_ratio=0.5, **EXACT)
    one = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    wide = np.column_stack([X, np.full(len(X), 0.1), np.full(len(X), 1e9)])
    two = model.fit(wide, codes, sample_weight=weights)
    assert (two.coef_[:, 4:] == 0).all()
    np.testing.assert_allclose(two.predict_proba(wide), one, atol=1e-9)


def test_a_column_twice_shares_its_weight_under_a_ridge(rows):
    """|b|^2 is least in halves: twice the column with twice the ridge is the column."""
    X, codes, weights = rows
    one = CumulativeLinkClassifier(0.02, l1_ratio=0.0, **EXACT).fit(X, codes, sample_weight=weights)
    two = CumulativeLinkClassifier(0.04, l1_ratio=0.0, **EXACT)
    two.fit(np.hstack([X, X]), codes, sample_weight=weights)
    same((one, X), (two, np.hstack([X, X])), atol=1e-7)
    np.testing.assert_allclose(two.coef_[:, :4], two.coef_[:, 4:], atol=1e-8)


def test_sparse_columns_are_the_dense_ones(rows):
    X, codes, weights = rows
    X = np.where(X > np.median(X, axis=0), X, 0.0)
    model = PRESTOClassifier(0.02, **EXACT)
    dense = model.fit(X, codes, sample_weight=weights).predict_proba(X)
    S = sparse.csr_matrix(X)
    np.testing.assert_allclose(
        model.fit(S, codes, sample_weight=weights).predict_proba(S), dense, atol=1e-8
    )


def test_class_weights_are_row_weights(rows):
    X, codes, weights = rows
    by_class = {0: 0.5, 1: 1.0, 2: 2.0, 3: 7.0}
    each = np.array([by_class[code] for code in codes])
    one = PRESTOClassifier(0.02, class_weight=by_class, **EXACT)
    one.fit(X, codes, sample_weight=weights)
    two = PRESTOClassifier(0.02, **EXACT).fit(X, codes, sample_weight=weights * each)
    same((one, X), (two, X), atol=1e-10)


# --- the rare tail


@pytest.mark.parametrize("structure", MODELS)
def test_the_rare_tail_of_the_logit_keeps_its_digits(rows, structure):
    X, codes, weights = rows
    model = MODELS[structure](0.01, **EXACT).fit(X, codes, sample_weight=weights)
    coef = np.broadcast_to(model.coef_, (3, 4))[-1]
    step = -coef / np.abs(coef).max()
    far = X.mean(axis=0) + np.array([1.0, 20.0, 90.0])[:, None] * step / np.abs(step @ coef)
    logs = model.predict_log_proba(far)[:, -1]
    with localcontext() as context:
        context.prec = 60
        for row, log_p in zip(far, logs, strict=True):
            terms = [Decimal(float(a)) * Decimal(float(b)) for a, b in zip(row, coef, strict=True)]
            score = Decimal(float(model.intercept_[-1])) + sum(terms)
            exact = -(1 + (-score).exp()).ln()
            assert log_p == pytest.approx(float(exact), rel=1e-12)
    assert logs[-1] < -50


def test_crossings_leave_the_last_column_alone(oracle):
    X, codes, weights = oracle.draw(9, n=200, p=3, n_classes=5, rare=20)
    far = np.vstack([X, X.mean(axis=0) + 30 * (X - X.mean(axis=0))])
    model = CumulativeLinkClassifier(1e-3, **EXACT).fit(X, codes, sample_weight=weights)
    assert model.crossing_rate(far) > 0.05
    exceedance = model.predict_exceedance(far)
    eta = model.intercept_ + far @ model.coef_.T
    np.testing.assert_allclose(exceedance, 1 / (1 + np.exp(-eta)), rtol=1e-9)
    rate = (np.diff(eta, axis=1) > 0).any(axis=1).mean()
    assert model.crossing_rate(far) == pytest.approx(rate)
    proba = model.predict_proba(far)
    assert (proba[:, -1] == exceedance[:, -1]).all()
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
    ordered = (np.diff(eta, axis=1) <= 0).all(axis=1)
    bounds = np.column_stack([np.ones(len(far)), exceedance, np.zeros(len(far))])
    np.testing.assert_allclose(proba[ordered], -np.diff(bounds, axis=1)[ordered], atol=1e-12)
    # P(y > k) is repaired to the largest of the later boundaries
    kept = np.maximum.accumulate(exceedance[:, ::-1], axis=1)[:, ::-1]
    bounds = np.column_stack([np.ones(len(far)), kept, np.zeros(len(far))])
    np.testing.assert_allclose(proba, -np.diff(bounds, axis=1), atol=1e-12)
    assert model.n_crossings_ == (np.diff(eta[: len(X)][weights > 0], axis=1) > 0).any(axis=1).sum()
